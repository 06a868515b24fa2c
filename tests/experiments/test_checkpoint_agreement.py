"""Agreement of measures with kNN against slow ranks, on runs whose curves are known."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mochi_mm.experiments.checkpoint_agreement import (
    LAST,
    agreements,
    sentences,
    spearman,
    summary,
)
from mochi_mm.runs.run import read_runs
from tools.analysis.checkpoint_agreement import main

RANK, UNIFORM = 'analysis/rank/backbone', 'analysis/uniformity/backbone'


def work_dir(folder: Path, **curves: list[float]) -> Path:
    """A run of ten iterations an epoch that logged the curves; their first value is at epoch 0."""
    start = folder / '20260101_000000/vis_data'
    start.mkdir(parents=True)
    names = dict(knn='knn/top1', guard='guard/knn', rank=RANK, uniform=UNIFORM)
    lines = [
        {names[name]: value, 'epoch': epoch, 'iter': 10 * epoch, 'step': 10 * epoch}
        for name, values in curves.items()
        for epoch, value in enumerate(values)
    ]
    (start / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)) + '\n')
    return folder


def slow(first: list[float], second: list[float]) -> float:
    def ranks(row: list[float]) -> list[float]:
        ordered = sorted(row)
        return [
            sum(i + 1 for i, v in enumerate(ordered) if v == value) / ordered.count(value)
            for value in row
        ]

    a, b = ranks(first), ranks(second)
    x, y = sum(a) / len(a), sum(b) / len(b)
    top = sum((p - x) * (q - y) for p, q in zip(a, b, strict=True))
    return top / math.sqrt(sum((p - x) ** 2 for p in a) * sum((q - y) ** 2 for q in b))


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        ([1, 2, 3], [3, 2, 1]),
        ([1, 1, 2, 5], [4, 3, 3, 9]),
        ([2, 7, 1, 8, 2, 8], [3, 1, 4, 1, 5, 9]),
    ],
)
def test_rank_correlation(first: list[float], second: list[float]) -> None:
    assert spearman(first, second) == pytest.approx(slow(first, second), rel=1e-12)
    assert math.isnan(spearman([1.0, 1.0], [1.0, 2.0]))


def test_the_start_is_no_checkpoint_and_less_may_be_better(tmp_path: Path) -> None:
    one = work_dir(
        tmp_path / 'one', knn=[90, 10, 30, 20], rank=[99, 1, 2, 3], uniform=[-9, -1, -3, -2]
    )
    found = {a.measure: a for a in agreements(read_runs([one])[0])}
    assert set(found) == {LAST, RANK, UNIFORM}
    assert (found[UNIFORM].correlation, found[UNIFORM].loss) == (pytest.approx(1.0), 0)
    assert found[RANK].correlation == pytest.approx(slow([1, 2, 3], [10, 30, 20]))
    assert found[RANK].loss == found[LAST].loss == 10
    assert {one.checkpoints for one in found.values()} == {3}


def test_the_tool_and_its_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [
        work_dir(tmp_path / name, guard=[5, 10, 30, last], rank=[1, 10, 30, last])
        for name, last in (('a', 20), ('b', 40), ('c', 29))
    ]
    rows = main([*map(str, folders), '--out', str(tmp_path / 'out.json')])
    text = capsys.readouterr().out
    assert [row['measure'] for row in rows] == [RANK, LAST]
    assert f'| {RANK} | 3 | 1.00 (1.00 to 1.00) | 0.00 | 0.00 |' in text
    assert (
        f'{RANK}: its order of checkpoints agrees with that of kNN more than by chance; choosing'
        in text
    )
    assert 'less than taking the last checkpoint (3.67)' in text
    assert len(json.loads((tmp_path / 'out.json').read_text())['runs']) == 6
    alone = summary(agreements(read_runs(folders[:1])[0]))
    assert 'too few runs to tell' in sentences(alone)[0]


def test_mistakes(tmp_path: Path) -> None:
    none = work_dir(tmp_path / 'none', rank=[1, 2, 3, 4])
    with pytest.raises(ValueError, match='has logged neither knn/top1 nor guard/knn'):
        agreements(read_runs([none])[0])
    short = work_dir(tmp_path / 'short', knn=[1, 2, 3], rank=[1, 2, 3])
    with pytest.raises(ValueError, match='has no measure without labels at 3 checkpoints'):
        agreements(read_runs([short])[0])
    with pytest.raises(ValueError, match="--measures names 'analysis/rank/bakbone'"):
        main([str(none), '--measures', 'analysis/rank/bakbone'])
