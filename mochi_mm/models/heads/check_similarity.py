"""Check of the parts of a head that its similarity does not allow."""

from __future__ import annotations

from mochi_mm.models.mixers.hard_negative_mixing import HardNegativeMixing


def check_similarity(
    head: str, mixing: HardNegativeMixing | None, estimated: bool, least: float | None
) -> None:
    """Refuse parts of a head with a similarity of its own that are right for cosines alone.

    Args:
        head: Name of the head, for the error.
        mixing: Its mixing; without mixers it will do.
        estimated: Whether an estimate stands for its negatives.
        least: The least value of its similarity; None where it is not stated.

    Raises:
        ValueError: Mixers; an estimate of a similarity whose least value is not stated.
    """
    if mixing is not None and len(mixing.mixers):
        raise ValueError(
            f'mixing has mixers, which give the cosine of a query with what they synthesize, but '
            f'{head} compares by a similarity of its own; take the mixers out, or use a head that '
            'compares by cosines.'
        )
    if estimated and least is None:
        raise ValueError(
            f'negatives is set but {head} compares by a similarity of its own and does not state '
            'its least value, which bounds the estimate from below; set least_similarity of the '
            'class, as -1 is that of cosines.'
        )
