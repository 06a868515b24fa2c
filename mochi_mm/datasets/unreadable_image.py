"""Error of an image that cannot be read."""

from __future__ import annotations


class UnreadableImage(ValueError):
    """A file that is no image, is damaged, or holds what is no picture; the message names it."""
