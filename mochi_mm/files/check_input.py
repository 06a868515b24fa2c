"""Comparison of a model's images with those that its weights were trained on."""

from __future__ import annotations

from typing import Any

from mochi_mm.files.origin import NOT_NORMALIZED, Input
from mochi_mm.files.weights_meta import describe_input

TOLERANCE = 0.05  # gray levels: other roundings of the same statistics


def input_of(model: Any) -> Input:
    """Return the images that the data preprocessor of ``model`` makes."""
    about = describe_input(getattr(model, 'data_preprocessor', None))
    mean, std = about['mean'], about['std']
    return Input(mean and tuple(mean), std and tuple(std), about['channel_order'])


def contradictions(
    trained: Input, fed: Input, feeder: str = 'the detector', order: str = 'bgr_to_rgb'
) -> list[str]:
    """Return the differences of two inputs, each as a sentence; unknown differs from nothing.

    Args:
        trained: Images that the weights were trained on.
        fed: Images that the model is fed; a mean of None means that it does not normalize.
        feeder: Name of the model or program that feeds it, for the sentences.
        order: The setting of its data preprocessor that decides the order of the channels.
    """
    found = []
    if None not in (trained.channel_order, fed.channel_order) and (
        trained.channel_order != fed.channel_order
    ):
        found.append(
            f'channel order: trained on {trained.channel_order}, {feeder} feeds '
            f'{fed.channel_order} (data_preprocessor.{order})'
        )
    for name in ('mean', 'std'):
        expected, given = getattr(trained, name), getattr(fed, name)
        shown = getattr(NOT_NORMALIZED, name) if given is None else given
        if expected is not None and not _near(expected, shown):
            found.append(
                f'{name}: trained with {numbers(expected)}, {feeder} uses {numbers(given)} '
                f'(data_preprocessor.{name})'
            )
    return found


def numbers(values: tuple[float, ...] | None) -> str:
    """Return ``values`` as a text for people."""
    return 'none' if values is None else ' '.join(f'{value:g}' for value in values)


def _near(expected: tuple[float, ...], given: tuple[float, ...]) -> bool:
    return len(given) == len(expected) and all(
        abs(a - b) <= TOLERANCE for a, b in zip(expected, given, strict=True)
    )
