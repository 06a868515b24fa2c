"""Wrong labels: how many, which, the same for ever, and what stays beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.datasets import (
    ConcatDataset,
    InMemory,
    LongTail,
    NoisyLabels,
    OpenWorld,
    RepeatDataset,
    ShapeScenes,
)
from mochi_mm.datasets.base import ImageDataset
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from tests.toy_runner import TWO_VIEWS, NoiseImages


class Labelled(ImageDataset):
    """A data set of labels without images."""

    def __init__(self, labels: Any, classes: Any = ()) -> None:
        super().__init__()
        self.labels, self.classes = np.asarray(labels), tuple(classes)

    def image(self, index: int) -> Any:
        raise AssertionError('labels are drawn without opening an image')


FIXED = [2, 1, 3, 3, 0, 1, 2, 1, 0, 3, 2, 3, 2, 1, 2, 2, 0, 2, 3, 3]
LABELS = np.random.default_rng(0).integers(0, 7, 5000)


@pytest.mark.parametrize('share', [0.0, 0.29, 0.4, 0.999, 1.0])
def test_each_class_has_its_share_of_wrong_labels(share: float) -> None:
    dataset = NoisyLabels(Labelled(LABELS), share)
    for label in range(7):
        members = dataset.true_labels == label
        wrong = dataset.labels[members] != label
        assert wrong.sum() == int(share * members.sum() + 1e-9)
    assert np.array_equal(dataset.true_labels, LABELS)
    assert np.array_equal(dataset.wrong, dataset.labels != LABELS)
    assert set(dataset.labels) == set(range(7))


def test_wrong_labels_are_spread_evenly_over_the_other_classes() -> None:
    dataset = NoisyLabels(Labelled(np.arange(30000) % 5), 1.0)
    for label in range(5):
        counts = np.bincount(dataset.labels[dataset.true_labels == label], minlength=5)
        others = np.delete(counts, label)
        # 6000 draws into 4: four standard deviations of a count are 4 * sqrt(6000 * 3 / 16) = 134.
        assert counts[label] == 0 and abs(others - 1500).max() < 134


def test_the_draw_depends_on_the_seed_and_the_image_alone() -> None:
    small, large = (NoisyLabels(Labelled(LABELS), share, 3) for share in (0.2, 0.6))
    assert np.array_equal(small.labels[small.wrong], large.labels[small.wrong])
    assert not np.array_equal(small.labels, NoisyLabels(Labelled(LABELS), 0.2, 4).labels)
    assert np.array_equal(small.labels, NoisyLabels(Labelled(LABELS), 0.2, 3).labels)
    both = NoisyLabels(Labelled(np.concatenate([LABELS, LABELS])), 1.0, 3)
    assert np.array_equal(both.labels[:5000], NoisyLabels(Labelled(LABELS), 1.0, 3).labels)


def test_the_labels_are_fixed() -> None:
    """What was drawn once must be drawn for ever."""
    assert NoisyLabels(Labelled(np.arange(20) % 4), 0.4).labels.tolist() == FIXED


def test_images_without_a_label_keep_that() -> None:
    dataset = NoisyLabels(Labelled([0, -1, 1, -1, 0, 1], 'abc'), 1.0)
    assert dataset.labels[[1, 3]].tolist() == [-1, -1] and dataset.wrong.sum() == 4


def test_samples_have_both_labels_and_the_draws_of_the_data_set() -> None:
    pack = dict(type='PackInputs', extra_keys=['true_label'])
    pipeline = [*TWO_VIEWS[:-1], pack]
    inner = NoiseImages(20, pipeline=())
    dataset = NoisyLabels(inner, 0.5, pipeline=pipeline)
    alone = NoiseImages(20, pipeline=TWO_VIEWS)
    assert len(dataset) == dataset.num_images == 20 and dataset.metainfo == alone.metainfo
    for index in (0, 7, 19):
        key = SampleKey(index, 2, 5)
        sample, plain = dataset[key], alone[key]
        assert all(map(torch.equal, sample['inputs'], plain['inputs']))
        assert sample['data_samples'] == dict(
            gt_label=dataset.labels[index], sample_idx=index, true_label=index % 3
        )


def test_within_and_around_other_data_sets() -> None:
    scenes = dict(type='ShapeScenes', num_scenes=30)
    around = DATASETS.build(dict(type='NoisyLabels', dataset=dict(type='InMemory', dataset=scenes)))
    within = InMemory(NoisyLabels(ShapeScenes(30)))
    assert np.array_equal(around.labels, within.labels) and around.wrong.any()
    assert around.image(3).tobytes() == within.image(3).tobytes()
    assert around.fingerprint() != InMemory(ShapeScenes(30)).fingerprint()
    assert NoisyLabels(ShapeScenes(30), seed=1).fingerprint() != within.fingerprint()
    twice = RepeatDataset(NoisyLabels(ShapeScenes(30)), 2)
    assert np.array_equal(twice.labels[:30], twice.labels[30:])


def test_the_right_label_survives_further_data_sets() -> None:
    """Through wrong labels of wrong labels, hidden ones, parts, repetitions and memory."""
    scenes = ShapeScenes(60, image_size=24)
    noisy = NoisyLabels(scenes, 0.5, seed=1)
    tail = LongTail(noisy, 0.5)
    both = ConcatDataset([NoisyLabels(ShapeScenes(30), 1.0), ShapeScenes(30, 'val')])
    truth, left = scenes.labels.tolist(), scenes.labels[tail.rows].tolist()
    for around, right in (
        (NoisyLabels(noisy, 0.5), truth),
        (NoisyLabels(OpenWorld(scenes, 4), 0.5), truth),
        (NoisyLabels(InMemory(noisy), 0.5), truth),
        (NoisyLabels(tail, 0.5), left),
        (NoisyLabels(both, 0.5), truth),
        (OpenWorld(noisy, 4), truth),
        (OpenWorld(InMemory(tail), 4), left),
        (InMemory(NoisyLabels(noisy)), truth),
        (RepeatDataset(InMemory(noisy), 2), truth * 2),
    ):
        assert around.true_labels.tolist() == right
        assert [around.sample(i)['true_label'] for i in range(len(around))] == right
        assert around.labels.tolist() != right


def test_what_is_wrong_differs_from_the_right_label() -> None:
    """Noise on noise may hit by chance what is right; an image without a label is not wrong."""
    scenes = ShapeScenes(100)
    twice = NoisyLabels(NoisyLabels(scenes, 1.0, seed=1), 1.0)
    assert twice.wrong.tolist() == (twice.labels != scenes.labels).tolist()
    assert 80 < twice.wrong.sum() < 100
    hidden = NoisyLabels(OpenWorld(scenes, 4), 0.5)
    assert (hidden.labels < 0).sum() == 80 and hidden.wrong.sum() == 8


def test_an_open_world_of_wrong_labels_is_measured_by_the_right_ones() -> None:
    noisy = NoisyLabels(ShapeScenes(100), 0.4)
    whole, pool = (OpenWorld(noisy, 4, part=part) for part in ('all', 'unlabeled'))
    labeled = whole.labels >= 0
    assert whole.labels[labeled].tolist() == noisy.labels[labeled].tolist()
    assert (whole.labels != whole.true_labels)[labeled].any()
    assert pool.labels.tolist() == (pool.rows % 10).tolist()
    assert (pool.labels != noisy.labels[pool.rows]).any()


def test_a_share_that_makes_no_label_wrong() -> None:
    """Of 10 and 3 images: one image of the largest class is enough."""
    labels = [0] * 10 + [1] * 3 + [-1] * 40
    message = '0.09 of the 10 images of the largest class is no image.* raise it to 0.1 or more'
    with pytest.raises(ValueError, match=message):
        NoisyLabels(Labelled(labels), 0.09)
    assert NoisyLabels(Labelled(labels), 0.1).wrong.sum() == 1
    assert NoisyLabels(Labelled(labels), 0.0).wrong.sum() == 0


def test_mistakes() -> None:
    for share in (-0.1, 1.1, True, '0.4'):
        with pytest.raises(ValueError, match=f'NoisyLabels share is {share!r}; expected the share'):
            NoisyLabels(Labelled([0, 1]), share)  # type: ignore[arg-type]
    for labels in ([0, 0], [-1, 3]):
        with pytest.raises(ValueError, match='has labels of 1 classes; expected at least 2'):
            NoisyLabels(Labelled(labels))
    with pytest.raises(ValueError, match='40 samples of 20 images; .* around NoisyLabels instead'):
        NoisyLabels(RepeatDataset(ShapeScenes(20), 2))
    with pytest.raises(ValueError, match='NoisyLabels has a pipeline and data set 0 within it'):
        NoisyLabels(NoiseImages(6), pipeline=TWO_VIEWS)
    with pytest.raises(ValueError, match='whose samples are not keyed'):
        NoisyLabels([1, 2])
