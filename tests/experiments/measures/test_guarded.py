"""What a guard saw, from the curves of a log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mochi_mm.engine.guard_limits import GuardLimits
from mochi_mm.experiments.measures import Guarded
from mochi_mm.experiments.measures.guarded import first_seen
from tests.experiments.measures.toy import toy_subject

CURVES = dict(
    knn=[40.0, 38.0, 36.9, 41.0],
    rank=[20.0, 9.9, 30.0, 22.0],
    uniformity=[-1.0, -1.2, -1.1, -0.9],
    stability=[1.0, 0.4, 0.3, 0.2],
)


def test_start_end_and_first_warning(tmp_path: Path) -> None:
    start = tmp_path / '20260101_000000/vis_data'
    start.mkdir(parents=True)
    lines = [
        {
            **{f'guard/{n}': v[i] for n, v in CURVES.items()},
            'epoch': i,
            'iter': 5 * i,
            'step': 5 * i,
        }
        for i in range(4)
    ]
    (start / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)) + '\n')
    found = Guarded()(toy_subject(tmp_path, epochs=3))
    assert (found['guard/knn at the start'], found['guard/knn at the end']) == (40.0, 41.0)
    assert found['guard/stability at the end'] == 0.2
    assert (found['guard/seen by kNN'], found['guard/seen without labels']) == (2, 1)
    assert Guarded()(toy_subject(tmp_path)) == {}


@pytest.mark.parametrize(('limit', 'look'), [(1.9, 1), (2.0, 2), (3.0, 2), (3.2, 0)])
def test_the_first_look_beyond_a_limit(limit: float, look: int) -> None:
    assert first_seen(CURVES, GuardLimits.of(dict(knn=limit), labeled=True)) == look


def test_the_hook(tmp_path: Path) -> None:
    config = toy_subject(tmp_path).config
    (hook,) = Guarded(k=5).hooks(config, 2)
    assert hook == dict(
        type='RepresentationGuardHook',
        interval=2,
        k=5,
        dataloader=config.query_dataloader,
        bank_dataloader=config.bank_dataloader,
    )
