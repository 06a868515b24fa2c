"""Helpers that belong to no room: class names, freed memory, progress, wrappers, versions."""
