"""Pseudo-labels at several granularities: acceptance, what is refused, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.memories import PseudoLabels
from mochi_mm.structures import DataFacts
from mochi_mm.structures.clustering import Clustering

COARSE = Clustering(
    torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0.9, 0.8, 0.5, 0.4, 0.7, 0.6]), torch.eye(2)
)
FINE = Clustering(
    torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), torch.eye(3)
)


def filled(**kwargs: Any) -> PseudoLabels:
    labels = PseudoLabels(6, [2, 3], **kwargs)
    labels.set_clusters(torch.zeros(6, 2), [COARSE, FINE])
    return labels


def test_each_granularity_accepts_its_most_confident() -> None:
    labels = filled(largest=1.0)
    assert all(bool((label == -1).all()) for label in labels.accepted())
    labels.accept(0.5)
    assert [label.tolist() for label in labels.accepted()] == [
        [0, 0, -1, -1, 1, -1],
        [-1, -1, -1, 1, 2, 2],
    ]
    assert labels.look_up(1, torch.tensor([5, -1, 0])).tolist() == [2, -1, -1]
    labels.accept(0.0)
    assert all(bool((label == -1).all()) for label in labels.accepted())
    assert torch.equal(labels.clusters()[1], FINE.labels)


def test_a_cluster_that_swallows_the_images_says_nothing() -> None:
    labels = filled(largest=0.5)  # the first holds four of six
    labels.accept(1.0)
    assert labels.accepted()[0].tolist() == [-1, -1, -1, -1, 1, 1]
    assert torch.equal(labels.accepted()[1], FINE.labels)


def test_everything_is_restored() -> None:
    labels, other = filled(), PseudoLabels(6, [2, 3])
    labels.accept(0.5)
    labels.bind(7)
    other.load_state_dict(labels.state_dict())
    for name, value in labels.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    other.bind(7)
    with pytest.raises(ValueError, match='of another data set .*7, that of the .* 8'):
        other.bind(8)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_clusters=[1]), 'num_clusters holds 1 for 6 images'),
        (dict(num_clusters=[2, 7]), 'num_clusters holds 7 for 6 images'),
        (dict(num_clusters=[]), 'expected a list'),
        (dict(num_clusters=[2.0]), r'num_clusters holds 2\.0'),
        (dict(largest=0), 'largest is 0'),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PseudoLabels(6, **{'num_clusters': [2], **settings})


def test_another_number_of_images_is_refused() -> None:
    facts = DataFacts(7, (), torch.zeros(0, dtype=torch.int64), torch.zeros(7, dtype=torch.bool))
    with pytest.raises(ValueError, match='table has 6 rows but the data set 7 images'):
        filled().tables[0].set_data(facts)  # type: ignore[operator]


def test_a_cluster_that_is_too_large_takes_nothing_from_the_share() -> None:
    """The most confident six are in it; half of the ten labels are those of the other four."""
    labels = PseudoLabels(10, [2], largest=0.5)
    cluster = torch.tensor([0] * 6 + [1] * 4)
    confidence = torch.tensor([0.9] * 6 + [0.5] * 4)
    labels.set_clusters(torch.eye(10), [Clustering(cluster, confidence, torch.eye(10)[:2])])
    labels.accept(0.3)
    assert labels.accepted()[0].tolist() == [-1] * 6 + [1] * 3 + [-1]
    labels.accept(0.5)
    assert labels.accepted()[0].tolist() == [-1] * 6 + [1] * 4


def test_settings_under_which_nothing_would_ever_be_accepted() -> None:
    with pytest.raises(ValueError, match='largest is 0.1 of 10 images, so a cluster of two'):
        PseudoLabels(10, [2], largest=0.1)
