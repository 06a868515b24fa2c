"""Whether a detector shows its backbone the images that the weights were trained on."""

from __future__ import annotations

from mochi_mm.transfer.weights.origin import NOT_NORMALISED, Input

TOLERANCE = 0.05  # grey levels: other roundings of the same statistics


def contradictions(trained: Input, detector: Input) -> list[str]:
    """Return what differs between two inputs, each as a sentence; unknown differs from nothing.

    Args:
        trained: Of the weights.
        detector: Of the detector; a mean of None means that it does not normalise.
    """
    found = []
    if None not in (trained.channel_order, detector.channel_order) and (
        trained.channel_order != detector.channel_order
    ):
        found.append(
            f'channel order: trained on {trained.channel_order}, the detector feeds '
            f'{detector.channel_order} (data_preprocessor.bgr_to_rgb)'
        )
    for name in ('mean', 'std'):
        expected, given = getattr(trained, name), getattr(detector, name)
        shown = getattr(NOT_NORMALISED, name) if given is None else given
        if expected is not None and not _near(expected, shown):
            found.append(
                f'{name}: trained with {numbers(expected)}, the detector uses {numbers(given)} '
                f'(data_preprocessor.{name})'
            )
    return found


def numbers(values: tuple[float, ...] | None) -> str:
    """Return ``values`` for people."""
    return 'none' if values is None else ' '.join(f'{value:g}' for value in values)


def _near(expected: tuple[float, ...], given: tuple[float, ...]) -> bool:
    return len(given) == len(expected) and all(
        abs(a - b) <= TOLERANCE for a, b in zip(expected, given, strict=True)
    )
