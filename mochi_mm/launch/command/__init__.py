"""The command ``mochi-mm``: one way into every program of ``tools/``."""
