"""Accuracy over batches, ranks and repeated samples."""

from __future__ import annotations

import pytest
import torch
from mmengine.evaluator import Evaluator
from torch import Tensor

from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.registry import METRICS
from tests.ranks import run_ranks

SCORES = torch.tensor(
    [
        [0.1, 0.6, 0.3],
        [0.5, 0.3, 0.2],
        [0.2, 0.3, 0.5],
        [0.6, 0.3, 0.1],
        [0.3, 0.1, 0.6],
        [0.2, 0.5, 0.3],
        [0.9, 0.1, 0.0],
    ]
)
LABELS = torch.tensor([1, 1, 2, 2, 2, 0, 0])
TOP1, TOP2 = 400 / 7, 500 / 7  # right: 0, 2, 4, 6; second: 1


def record(rows: list[int]) -> dict[str, Tensor]:
    index = torch.tensor(rows)
    return dict(scores=SCORES[index], gt_label=LABELS[index], sample_idx=index)


def test_percent_over_batches_through_the_evaluator() -> None:
    evaluator = Evaluator([METRICS.build(dict(type='TopKAccuracy', topk=(1, 2)))])
    evaluator.process([record([0, 1, 2])])
    evaluator.process([record([3, 4, 5]), record([6])])
    assert evaluator.evaluate(7) == {
        'accuracy/top1': pytest.approx(TOP1),
        'accuracy/top2': pytest.approx(TOP2),
    }
    # Nothing is left for the next round.
    evaluator.process([dict(record(list(range(7))), gt_label=SCORES.argmax(dim=1))])
    assert evaluator.evaluate(7) == {'accuracy/top1': 100.0, 'accuracy/top2': 100.0}


def _on_a_rank(rank: int) -> dict[str, float]:
    metric = TopKAccuracy(topk=(1, 2), prefix='probe')
    # Sample 0 is repeated to fill up the second rank, as a distributed sampler does.
    batches = [[0, 2], [4, 6]] if rank == 0 else [[1, 3], [5, 0]]
    for rows in batches:
        metric.process(None, [record(rows)])
    return metric.evaluate(7)


def test_two_ranks_count_each_sample_once() -> None:
    for result in run_ranks(_on_a_rank, 2):
        assert result == {'probe/top1': pytest.approx(TOP1), 'probe/top2': pytest.approx(TOP2)}


def test_errors() -> None:
    with pytest.raises(ValueError, match=r'topk is \(0,\)'):
        TopKAccuracy(topk=(0,))
    with pytest.raises(ValueError, match='asks for 5 of 3 classes'):
        TopKAccuracy().process(None, [record([0])])
    with pytest.raises(ValueError, match='the label -1, expected 0 to 2'):
        TopKAccuracy(1).process(None, [dict(record([0]), gt_label=torch.tensor([-1]))])
    with pytest.raises(ValueError, match='not finite'):
        TopKAccuracy(1).process(None, [dict(record([0]), scores=torch.full((1, 3), torch.nan))])
    metric = TopKAccuracy(1)
    metric.process(None, [record([0, 1])])
    with pytest.raises(ValueError, match='2 different sample_idx, but its data set has 7'):
        metric.evaluate(7)
