"""The same key gives the same sample, whoever loads it; another epoch draws anew."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader

from mochi_mm.datasets import ImageDataset, KeyedSampler
from mochi_mm.randomness import SampleKey

RECIPE = [
    dict(type='RandomResizedCrop', size=12),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    dict(type='AutoAugment'),
    dict(type='RandAugment'),
    dict(type='RandomGrayscale'),
    dict(type='GaussianBlur'),
    dict(type='RandomFlip'),
]
PIPELINE = [dict(type='MultiView', transforms=[RECIPE], num_views=2), dict(type='PackInputs')]


class Pictures(ImageDataset):
    """A few generated images."""

    def __init__(self, pictures: list[Image.Image], pipeline=()) -> None:
        super().__init__(pipeline)
        self.pictures = pictures
        self.labels = np.arange(len(pictures))

    def image(self, index: int) -> Image.Image:
        return self.pictures[index]


@pytest.fixture
def pictures(draw_picture) -> list[Image.Image]:
    return [draw_picture(seed, 30, 24) for seed in range(11)]


def load(dataset, epochs: int, workers: int, **arguments) -> list[dict]:
    sampler = KeyedSampler(dataset, seed=3)
    loader = DataLoader(dataset, batch_size=4, sampler=sampler, num_workers=workers, **arguments)
    batches = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def assert_same(first: list[dict], second: list[dict]) -> None:
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a['data_samples']['sample_idx'], b['data_samples']['sample_idx'])
        for x, y in zip(a['inputs'], b['inputs'], strict=True):
            assert torch.equal(x, y)
            assert x.stride() == y.stride()


@pytest.mark.parametrize('persistent', [True, False])
def test_any_number_of_workers_gives_the_same(pictures, persistent) -> None:
    dataset = Pictures(pictures, PIPELINE)
    alone = load(dataset, 2, 0)
    assert_same(alone, load(dataset, 2, 2, persistent_workers=persistent))
    assert tuple(alone[0]['inputs'][0].shape) == (4, 3, 12, 12)


def test_ambient_randomness_has_no_say(pictures) -> None:
    dataset, key = Pictures(pictures, PIPELINE), SampleKey(2, seed=1, epoch=6)
    first = dataset[key]
    np.random.rand(3)  # noqa: NPY002
    torch.rand(3)
    second = dataset[key]
    assert all(torch.equal(x, y) for x, y in zip(first['inputs'], second['inputs'], strict=True))


def draws_of(dataset, key) -> tuple[float, ...]:
    return tuple(dataset[key]['rng'].random(4))


def test_no_draw_is_repeated(pictures) -> None:
    dataset = Pictures(pictures)
    keys = [
        SampleKey(i, seed, epoch) for i in range(11) for seed in (0, 1, 7) for epoch in range(9)
    ]
    numbers = np.array([draws_of(dataset, key) for key in keys])
    assert len(np.unique(numbers)) == numbers.size


def test_views_change_from_epoch_to_epoch(pictures) -> None:
    dataset = Pictures(pictures, PIPELINE)
    for index in range(len(dataset)):
        views = [
            view.numpy().tobytes()
            for epoch in range(4)
            for view in dataset[SampleKey(index, 3, epoch)]['inputs']
        ]
        assert len(set(views)) == 8


def test_plain_index_means_seed_and_epoch_zero(pictures) -> None:
    dataset = Pictures(pictures)
    assert draws_of(dataset, 3) == draws_of(dataset, np.int64(3))
    assert draws_of(dataset, 3) == draws_of(dataset, SampleKey(3, 0, 0))
    assert draws_of(dataset, 3) != draws_of(dataset, SampleKey(3, 0, 1))


def test_concatenation_keeps_the_key_with_the_index_of_the_sampler(pictures) -> None:
    dataset = Pictures(pictures)
    joined = ConcatDataset([Pictures(pictures[:4]), dataset])
    sample = joined[SampleKey(6, 1, 5)]
    assert sample['img'] is pictures[2]
    assert sample['rng'].random() == draws_of(dataset, SampleKey(6, 1, 5))[0]


def test_what_the_pipeline_starts_from(pictures) -> None:
    results = Pictures(pictures)[5]
    assert results['img'] is pictures[5]
    assert (results['gt_label'], results['sample_idx']) == (5, 5)
    assert isinstance(results['rng'], np.random.Generator)


@pytest.mark.parametrize('index', [-1, 11])
def test_index_out_of_range(pictures, index) -> None:
    with pytest.raises(IndexError, match='11 samples'):
        Pictures(pictures)[index]
