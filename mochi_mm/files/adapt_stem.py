"""Weights of a network of three channels in one of another number of channels."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mochi_mm.files.shown import shown_path
from mochi_mm.utils.checks import check_choice

RULES = ('mean',)


def adapt_stem(
    found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], rule: str, path: str
) -> tuple[dict[str, Tensor], str]:
    """Return weights whose first convolution takes as many channels as the model, and a note.

    ``mean``: each of the C channels gets the mean of the file's three kernels, times 3 / C. An
    image whose channels are all alike then gives what the file's network gives for a gray one, and
    the size of the response does not grow with C. Which channel is which is lost, so none is
    favored.

    Args:
        found: Weights of a network of three channels.
        wanted: Weights of the model under the same names.
        rule: One of :data:`RULES`.
        path: Their file, for the error.

    Raises:
        ValueError: An unknown rule, or not just one weight that differs in its channels alone,
            three in the file.
    """
    check_choice('adapt_stem', rule, RULES)
    differ = [
        name
        for name, value in wanted.items()
        if name in found and other_channels(found[name], value)
    ]
    if len(differ) != 1:
        raise ValueError(
            f'adapt_stem is {rule!r}, but {path} has {len(differ)} weights that '
            'differ from the model in their channels alone, three of them in the file; expected '
            'just one, the first convolution. Leave adapt_stem out for a model of three channels.'
        )
    (name,) = differ
    count = wanted[name].shape[1]
    kernels = found[name].mean(1, keepdim=True) * (3 / count)
    made = {**found, name: kernels.expand(-1, count, -1, -1).contiguous()}
    note = f'. {shown_path(name)}: the mean of 3 channels in each of {count}, times 3 / {count}'
    return made, note


def other_channels(there: Tensor, here: Tensor) -> bool:
    """Return whether two kernels differ in their channels alone, three of which are there."""
    if there.ndim != 4 or here.ndim != 4:
        return False
    same = there.shape[0] == here.shape[0] and there.shape[2:] == here.shape[2:]
    return same and there.is_floating_point() and there.shape[1] == 3 != here.shape[1]
