"""Legends whose names are text, whatever characters they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def plain_legend(figure: Any, handles: Sequence[Any], columns: int, size: int) -> None:
    """Put a legend below the axes of a figure, each name as it is spelled.

    Left to itself, matplotlib typesets what stands between dollar signs as formulas, or fails at
    it, and leaves out names that begin with an underscore.

    Args:
        figure: A figure with constrained layout.
        handles: What stands for each name; its label is the name.
        columns: Names beside each other.
        size: Size of the letters, in points.
    """
    names = [str(handle.get_label()) for handle in handles]
    legend = figure.legend(
        list(handles),
        [str(number) for number in range(len(names))],
        loc='outside lower center',
        ncols=columns,
        frameon=False,
        fontsize=size,
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
