"""Readers of the files that a run left behind."""
