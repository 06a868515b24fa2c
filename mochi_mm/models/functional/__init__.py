"""The equations: pure tensor functions, no state, no registry."""
