"""A training set whose labels editors can mix by."""

from __future__ import annotations

from mochi_mm.structures import DataFacts


def check_classes(facts: DataFacts, who: str, least: int) -> None:
    """Accept a training set in which every image has a label, of at least so many classes.

    Args:
        facts: Of the training set.
        who: Editor that needs the labels, for the error.
        least: Classes with an image.

    Raises:
        ValueError: Fewer classes, or an image without a label.
    """
    classes = int((facts.class_counts > 0).sum())
    unknown = int((~facts.labeled).sum())
    if classes < least or unknown:
        raise ValueError(
            f'{who} mixes images and keeps what class they are of; expected a label for each and '
            f'at least {least} class{"es" if least > 1 else ""}, and the training set has '
            f'{classes} and {unknown} images without a label. Use images in class folders, or an '
            'objective that does without.'
        )
