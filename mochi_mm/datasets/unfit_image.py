"""Error of an image that is not of the kind that the data set was told."""

from __future__ import annotations


class UnfitImage(ValueError):
    """A sound file with other channels or numbers than expected; the message names all three.

    Unlike a damaged file it is never replaced by another in training: the setting is wrong, or the
    folder is mixed, and either ends the run.
    """
