"""A bank with clusters: online labels, upkeep, what is kept and refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.models.memories import ClusterBank
from mochi_mm.structures.clustering import Clustering
from tests.reference import dot, random_units, unit

ROWS, DIM, K = 14, 4, 3


def bank(**kwargs: Any) -> ClusterBank:
    """Fourteen rows in three clusters, the last of a single row."""
    made = ClusterBank(ROWS, K, DIM, **{'min_size': 2, **kwargs})
    labels = torch.tensor([0] * 8 + [1] * 5 + [2])
    rows = random_units(ROWS, DIM, 1).float()
    made.set_clusters(rows, [Clustering(labels, torch.ones(ROWS), random_units(K, DIM, 2).float())])
    return made


def test_the_worked_change_of_labels() -> None:
    """Two images in one cluster; the feature of the second is nearer to the other one."""
    made = ClusterBank(2, 2, 2)
    start = Clustering(torch.tensor([0, 0]), torch.ones(2), torch.eye(2))
    made.set_clusters(torch.tensor([[1.0, 0.0], [0.8, 0.6]]), [start])
    made.enqueue(torch.tensor([[0.8, 0.6], [0.6, 0.8]]), indices=torch.arange(2))
    assert made.labels.tolist() == [0, 1]


@pytest.mark.parametrize('ema_decay', [0.0, 0.4])
def test_written_rows_get_the_nearest_cluster(ema_decay: float) -> None:
    made = bank(ema_decay=ema_decay)
    before, labels = made.features.double(), made.labels.clone()
    features, indices = random_units(5, DIM, 7).float(), torch.tensor([0, 3, 9, 13, 6])
    ahead = made.moved(features, indices)
    made.enqueue(features, torch.arange(5), indices)
    for i, feature in zip(indices.tolist(), features, strict=True):
        row = unit(ema_decay * before[i] + (1 - ema_decay) * feature.double())
        torch.testing.assert_close(made.features[i].double(), row, atol=1e-6, rtol=1e-6)
        cosines = [dot(row, c.double()) for c in made.centroids]
        labels[i] = cosines.index(max(cosines))
    assert torch.equal(made.labels, labels)
    torch.testing.assert_close(ahead, made.features[indices])
    assert made.classes[indices].tolist() == [0, 1, 2, 3, 4] and int(made.classes[1]) == -1


def test_before_there_are_clusters_rows_have_none() -> None:
    made = ClusterBank(ROWS, K, DIM)
    made.enqueue(random_units(3, DIM, 1).float(), indices=torch.arange(3))
    assert bool((made.labels == -1).all()) and made.held().tolist() == [True] * 3 + [False] * 11
    figures = made.upkeep()
    assert figures == dict(merged=0, refilled=0, empty=3, largest=0)


def test_upkeep_merges_refills_and_moves_centroids() -> None:
    made, again = bank(), bank()
    row = made.features[13]
    means = [F.normalize(made.features[made.labels == c].mean(0), dim=0) for c in range(2)]
    nearest = int(row @ means[1] > row @ means[0])
    figures = made.upkeep(torch.Generator().manual_seed(3))
    assert figures['merged'] == 1 and figures['refilled'] >= 1 and figures['empty'] == 0
    assert figures['largest'] == float(torch.bincount(made.labels).max()) / ROWS
    largest = 0 if nearest == 0 or 8 >= 6 else 1
    assert set(made.labels[:8].tolist()) == {largest, 2}  # the largest of them was halved
    for c in range(K):
        mean = unit(made.features[made.labels == c].double().sum(0))
        torch.testing.assert_close(made.centroids[c].double(), mean, atol=1e-6, rtol=1e-6)
    again.load_state_dict(bank().state_dict())
    again.upkeep(torch.Generator().manual_seed(3))
    for name, value in made.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_what_does_not_fit_is_refused() -> None:
    for k in (1, ROWS + 1):
        with pytest.raises(ValueError, match=f'num_clusters holds {k} for 14 images'):
            ClusterBank(ROWS, k, DIM)
    start = Clustering(torch.zeros(ROWS).long(), torch.ones(ROWS), torch.zeros(K, DIM))
    for rows in (torch.zeros(ROWS, 3), torch.zeros(ROWS + 1, DIM)):
        with pytest.raises(ValueError, match='expected such rows'):
            bank().set_clusters(rows, [start])
    made = bank()
    made.bind(5)
    with pytest.raises(ValueError, match='another data set'):
        made.bind(6)
    with pytest.raises(ValueError, match='bank needs the data set index'):
        made.enqueue(torch.zeros(1, DIM))


def test_clusters_that_would_all_be_merged_are_refused() -> None:
    with pytest.raises(ValueError, match='needs 4000 rows of 240, so clusters would be merged'):
        ClusterBank(240, 200, DIM, min_size=20)
    assert ClusterBank(240, 200, DIM).min_size == 1 and ClusterBank(900, 9, DIM).min_size == 20
