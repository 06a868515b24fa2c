"""A data set held in memory gives what the one within gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.datasets import ImageFolder, InMemory
from mochi_mm.utils.keyed_random import SampleKey

PIPELINE = [
    dict(
        type='MultiView',
        transforms=[[dict(type='RandomResizedCrop', size=8), dict(type='RandomFlip')]],
        num_views=[2],
    ),
    dict(type='PackInputs'),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        for i in range(2):
            pixels = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f'{i}.png')
    return tmp_path


def test_equals_the_data_set_within(folder: Path) -> None:
    plain = ImageFolder(folder, pipeline=PIPELINE)
    held = InMemory(dict(type='ImageFolder', data_root=str(folder)), pipeline=PIPELINE)
    assert len(held) == len(plain) == 4
    assert held.metainfo == plain.metainfo and held.labels.tolist() == plain.labels.tolist()
    assert held.pixels.shape == (4, 12, 10, 3) and held.pixels.is_shared()
    for index in range(4):
        key = SampleKey(index, 3, 1)
        got, expected = held[key], plain[key]
        assert got['data_samples'] == expected['data_samples']
        for view, other in zip(got['inputs'], expected['inputs'], strict=True):
            assert torch.equal(view, other)


def test_refuses_sizes_that_differ_and_a_pipeline_that_would_not_run(folder: Path) -> None:
    with pytest.raises(ValueError, match='has a pipeline, which would never run'):
        InMemory(ImageFolder(folder, pipeline=PIPELINE))
    Image.new('RGB', (10, 11)).save(folder / 'b' / '2.png')
    with pytest.raises(ValueError, match='image 4 is 10 x 11, image 0 is 10 x 12'):
        InMemory(ImageFolder(folder))
