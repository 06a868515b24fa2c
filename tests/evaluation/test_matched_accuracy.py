"""Matched accuracy against all permutations, and the figures of an open world."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from mochi_mm.evaluation import OpenWorldAccuracy
from mochi_mm.evaluation.matched_accuracy import matched_accuracy, open_world_accuracy


@pytest.mark.parametrize(('images', 'classes'), [(1, 1), (9, 3), (40, 5)])
def test_equals_the_best_permutation(images: int, classes: int) -> None:
    generator = np.random.default_rng(images)
    predicted, labels = generator.integers(0, classes, (2, images))
    best = max(
        np.mean(np.asarray(names)[predicted] == labels) for names in permutations(range(classes))
    )
    assert matched_accuracy(predicted, labels) == pytest.approx(100 * best)


def test_more_clusters_than_classes_are_matched_one_to_one() -> None:
    assert matched_accuracy(np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])) == 50


LABELS = np.array([0, 0, 1, 1, 2, 2, 2, 3])
PREDICTED = np.array([0, 1, 1, 1, 3, 3, 0, 2])


def test_figures_of_an_open_world() -> None:
    """Of new classes 2 and 3 the names are exchanged, and one image is taken for a known one."""
    found = open_world_accuracy(PREDICTED, LABELS, 2)
    assert found['seen'] == 75 and found['novel'] == 75
    assert found['all'] == pytest.approx(100 * 6 / 8)
    # Classes (3, 1) of 4, predictions (1 of 0), (1 of 2), (2 of 3).
    own, other = 0.5623351446, 1.0397207708
    shared = own - 0.0  # each prediction stands for one class alone
    assert found['nmi_novel'] == pytest.approx(100 * shared / ((own + other) / 2), abs=1e-6)


def test_what_is_not_there_is_left_out() -> None:
    assert set(open_world_accuracy(PREDICTED[:4], LABELS[:4], 2)) == {'seen', 'all'}
    assert set(open_world_accuracy(PREDICTED[4:], LABELS[4:], 2)) == {'novel', 'nmi_novel', 'all'}


def test_the_metric_counts_each_image_once() -> None:
    metric = OpenWorldAccuracy(2, prefix='open_world_unlabeled')
    scores = torch.nn.functional.one_hot(torch.from_numpy(PREDICTED), 4).float()
    for rows in ([0, 1, 2, 3], [4, 5, 6, 7], [0, 1]):
        index = torch.tensor(rows)
        labels = torch.from_numpy(LABELS)[index]
        metric.process(None, [dict(scores=scores[index], gt_label=labels, sample_idx=index)])
    found = metric.evaluate(8)
    expected = open_world_accuracy(PREDICTED, LABELS, 2)
    assert found == {f'open_world_unlabeled/{k}': pytest.approx(v) for k, v in expected.items()}
    with pytest.raises(ValueError, match='num_known is 0'):
        OpenWorldAccuracy(0)
