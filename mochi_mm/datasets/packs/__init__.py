"""Packs: images of a folder in a few large files, with an index."""
