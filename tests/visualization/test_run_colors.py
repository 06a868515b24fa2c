"""Runs are told apart: eight colors, then the same ones with another mark."""

from __future__ import annotations

from mochi_mm.visualization.run_colors import color_of, mark_of


def test_forty_runs_differ() -> None:
    for dark in (False, True):
        assert len({(color_of(run, dark), mark_of(run)) for run in range(40)}) == 40
        assert len({color_of(run, dark) for run in range(8)}) == 8
    assert {mark_of(run).text for run in range(8)} == {mark_of(0).text} != {mark_of(8).text}
    assert color_of(0) != color_of(0, dark=True)
