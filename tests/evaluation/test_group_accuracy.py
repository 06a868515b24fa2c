"""Accuracy by group of classes, over batches and ranks, through the evaluator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from torch import Tensor

from mochi_mm.evaluation.group_accuracy import GroupAccuracy
from mochi_mm.registry import METRICS
from tests.ranks import run_ranks

# Training images of three classes: 6, 3 and 1.
TRAIN = np.repeat([0, 1, 2], [6, 3, 1])
LABELS = torch.tensor([0, 0, 1, 1, 1, 2, 2])
GUESSES = torch.tensor([0, 1, 1, 1, 0, 2, 0])
WANTED = {'many_over5': 50.0, 'medium_2to5': pytest.approx(200 / 3), 'few_below2': 50.0}


class Counted:
    """A training set, of which labels alone are asked."""

    labels = TRAIN
    metainfo = dict(classes=['a', 'b', 'c'])

    def __len__(self) -> int:
        return len(self.labels)


def record(rows: list[int]) -> dict[str, Tensor]:
    index = torch.tensor(rows)
    scores = torch.nn.functional.one_hot(GUESSES[index], 3).float()
    return dict(scores=scores, gt_label=LABELS[index], sample_idx=index)


def test_through_the_evaluator_beside_the_accuracy_over_all() -> None:
    metric = GroupAccuracy(Counted(), (5, 2))
    evaluator = Evaluator([METRICS.build(dict(type='TopKAccuracy', topk=1)), metric])
    evaluator.process([record([0, 1, 2])])
    evaluator.process([record([3, 4, 5]), record([6])])
    found = evaluator.evaluate(7)
    assert found.pop('accuracy/top1') == pytest.approx(400 / 7)
    assert found == {f'accuracy/{name}': value for name, value in WANTED.items()}


def test_classes_of_other_data_are_not_grouped() -> None:
    evaluator = Evaluator([GroupAccuracy(Counted(), (5, 2))])
    evaluator.dataset_meta = dict(classes=['a', 'b', 'c'])
    with pytest.raises(ValueError, match="only the counted data set has 'c'; only the test .* 'd'"):
        evaluator.dataset_meta = dict(classes=['a', 'b', 'd'])


def test_the_training_set_by_its_config() -> None:
    scenes = dict(type='ShapeScenes', num_scenes=20)
    tail = dict(type='LongTail', dataset=scenes, factor=0.5)
    metric = METRICS.build(dict(type='GroupAccuracy', dataset=tail, cuts=(1, 1)))
    assert metric.counts.tolist() == [2, 1, 1, 1, 1, 1, 1, 1, 1, 1][: len(metric.counts)]


def _on_a_rank(rank: int) -> dict[str, float]:
    metric = GroupAccuracy(Counted(), (5, 2), prefix='tail')
    # Sample 0 is repeated to fill up the second rank; in the first of them no sample at all.
    for rows in [[], [[0, 2, 4, 6], [1, 3, 5, 0]]][rank]:
        metric.process(None, [record(rows)])
    return metric.evaluate(7)


def test_two_ranks_count_each_sample_once() -> None:
    for result in run_ranks(_on_a_rank, 2):
        assert result == {f'tail/{name}': value for name, value in WANTED.items()}


def test_mistakes() -> None:
    with pytest.raises(ValueError, match='cuts is'):
        GroupAccuracy(Counted(), (1, 5))
    two = Counted()
    two.labels, two.metainfo = np.array([0, 1]), {}
    metric = GroupAccuracy(two)
    metric.process(None, [record(list(range(7)))])
    with pytest.raises(ValueError, match=r'hold the label 2 but .* 2 classes; set dataset'):
        metric.evaluate(7)
