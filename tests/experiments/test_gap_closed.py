"""The share of a gap that is closed, by hand; no gap and no figure are said."""

from __future__ import annotations

from typing import Any

from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.gap_closed import gap_closed

FIGURE = Figure('acc', 'accuracy (%)', 'accuracy')
LOWER, UPPER, OTHERS = ('low', 'Low'), ('up', 'Up'), [('mid', 'Middle'), ('none', 'Nobody')]


def values(**settings: list[float]) -> Any:
    return {
        name: {seed: dict(acc=value) for seed, value in enumerate(found)}
        for name, found in settings.items()
    }


def test_the_share_is_the_mean_gain_over_the_mean_gap() -> None:
    # Gaps 10, 12, 11: 11 ± t(2) 1 / sqrt 3; gains 5, 6, 5.5: 5.5 ± half of that.
    found = values(low=[30.0, 31, 30], up=[40.0, 43, 41], mid=[35.0, 37, 35.5])
    assert gap_closed(found, LOWER, UPPER, OTHERS, FIGURE) == [
        'accuracy: Up over Low +11.0 ± 2.5 points, 3 seeds.',
        'accuracy: Middle closes 50 % of it (± 11, 95 % of the gain, 3 seeds).',
        'accuracy: Nobody is not measured.',
    ]


def test_no_gap_is_none_to_close() -> None:
    for up in ([40.0, 25, 31], [20.0, 21, 20]):
        found = values(low=[30.0, 31, 30], up=up, mid=[35.0, 37, 35.5])
        (line,) = gap_closed(found, LOWER, UPPER, OTHERS, FIGURE)
        assert line.endswith('no gap shows, so none can be closed.')
    (line,) = gap_closed(values(low=[1.0], up=[2.0]), LOWER, UPPER, OTHERS, FIGURE)
    assert 'no gap shows' in line
    (line,) = gap_closed(values(low=[1.0]), LOWER, UPPER, OTHERS, FIGURE)
    assert line == 'accuracy: the gap of Low to Up is not measured.'
