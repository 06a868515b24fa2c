"""Helpers that belong to no room: keyed randomness, process groups, checkpoint files."""
