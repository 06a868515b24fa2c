"""Known and new classes: how many labels, which, the same for ever, and the pool to measure on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mochi_mm.datasets import InMemory, OpenWorld, RepeatDataset, ShapeScenes
from mochi_mm.datasets.facts import facts_of
from mochi_mm.registry import DATASETS
from tests.datasets.test_noisy_labels import Labelled

TRUE_LABELS = np.random.default_rng(0).integers(0, 6, 600)


@pytest.mark.parametrize('share', [0.1, 0.29, 0.5, 0.9])
def test_each_known_class_has_its_share_of_labels(share: float) -> None:
    dataset = OpenWorld(Labelled(TRUE_LABELS), 4, share)
    for label in range(6):
        members = label == TRUE_LABELS
        kept = dataset.labels[members] == label
        assert kept.sum() == (int(share * members.sum() + 1e-9) if label < 4 else 0)
        assert (dataset.labels[members][~kept] == -1).all()
    assert np.array_equal(dataset.true_labels, TRUE_LABELS)


def test_the_draw_depends_on_the_seed_and_the_image_alone() -> None:
    small, large = (OpenWorld(Labelled(TRUE_LABELS), 4, share, 3).labels for share in (0.2, 0.6))
    assert (large[small >= 0] >= 0).all()
    assert np.array_equal(small, OpenWorld(Labelled(TRUE_LABELS), 4, 0.2, 3).labels)
    assert not np.array_equal(small, OpenWorld(Labelled(TRUE_LABELS), 4, 0.2, 4).labels)


def test_the_unlabeled_part_is_what_has_no_label_with_that_of_the_data_set() -> None:
    whole, part = (OpenWorld(Labelled(TRUE_LABELS), 4, 0.5, part=p) for p in ('all', 'unlabeled'))
    assert np.array_equal(part.rows, np.flatnonzero(whole.labels < 0))
    assert np.array_equal(part.labels, TRUE_LABELS[part.rows]) and len(part) == len(part.rows)
    assert part.fingerprint() != whole.fingerprint()


def test_samples_carry_both_labels() -> None:
    """Also from memory; the numbers of the part are its own."""
    images = ShapeScenes(num_scenes=40)
    dataset = OpenWorld(images, 2)
    for i in (0, 7, 39):
        sample = dataset.sample(i)
        assert sample['gt_label'] == dataset.labels[i] and sample['sample_idx'] == i
        assert sample['true_label'] == images.labels[i]
    pool = OpenWorld(images, 2, part='unlabeled')
    assert pool.sample(3)['sample_idx'] == 3
    assert pool.sample(3)['gt_label'] == images.labels[pool.rows[3]]
    assert np.array_equal(InMemory(OpenWorld(images, 2)).labels, dataset.labels)


def test_facts_count_labeled_images() -> None:
    facts = facts_of(OpenWorld(Labelled(np.arange(40) % 4, 'abcd'), 2, 0.5))
    assert facts.class_counts.tolist() == [5, 5, 0, 0] and int(facts.labeled.sum()) == 10


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        (dict(num_known=6), 'num_known is 6 and the data set has 6 classes'),
        (dict(num_known=0), 'num_known is 0 and the data set has 6 classes'),
        (dict(num_known=True), 'num_known is True'),
        (dict(labeled_share=0), 'labeled_share is 0;'),
        (dict(labeled_share=1), 'labeled_share is 1;'),
        (dict(labeled_share=0.001), r'0.001 of the \d+ images of class 0 is no image'),
        (dict(seed=-1), 'OpenWorld seed is -1'),
        (dict(seed='x'), "OpenWorld seed is 'x'"),
        (dict(part='labeled'), "part is 'labeled'"),
        (dict(dataset=Labelled([0, 1, -1])), '1 of 3 images within OpenWorld have no label'),
        (dict(dataset=Labelled([0, 0, 2, 2], 'abc')), 'class 1 of the 3 within OpenWorld has no'),
        (dict(dataset=RepeatDataset(Labelled(TRUE_LABELS), 2)), 'expected each image once'),
    ],
)
def test_what_it_refuses(settings: dict[str, Any], words: str) -> None:
    values = {**dict(type='OpenWorld', dataset=Labelled(TRUE_LABELS), num_known=2), **settings}
    with pytest.raises(ValueError, match=words):
        DATASETS.build(values)
