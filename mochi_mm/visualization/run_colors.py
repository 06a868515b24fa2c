"""Colors and marks that tell runs apart, on light and on dark ground."""

from __future__ import annotations

from dataclasses import dataclass

# Colors that stay apart for color-blind eyes (after Okabe and Ito): dark enough on white, and
# light enough on black.
_LIGHT = ('#0072b2', '#d55e00', '#009e73', '#b0568f', '#000000', '#b87f00', '#3a8fc4', '#6b6b00')
_DARK = ('#56b4e9', '#ff8c42', '#2fd6a3', '#e08fc0', '#f2f2f2', '#e6b422', '#8fb8ff', '#c8c84a')


@dataclass(frozen=True)
class Mark:
    """Mark of a run: from the ninth run on colors come again, and marks tell them apart.

    Attributes:
        text: As a character.
        style: Name of it in Chart.js.
        rotation: In degrees.
    """

    text: str
    style: str
    rotation: int = 0


_MARKS = (
    Mark('\u25cf', 'circle'),
    Mark('\u25a0', 'rect'),
    Mark('\u25b2', 'triangle'),
    Mark('\u25c6', 'rectRot'),
    Mark('\u25bc', 'triangle', 180),
)


def color_of(run: int, dark: bool = False) -> str:
    """Return the color of a run.

    Args:
        run: Number of the run.
        dark: The ground is dark.
    """
    colors = _DARK if dark else _LIGHT
    return colors[run % len(colors)]


def mark_of(run: int) -> Mark:
    """Return the mark of a run."""
    return _MARKS[run // len(_LIGHT) % len(_MARKS)]
