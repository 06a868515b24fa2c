"""A data set several times over: one image, one number, other draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.datasets import ImageFolder, RepeatDataset
from mochi_mm.datasets.in_memory import InMemory
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS

VIEWS = [
    dict(
        type='MultiView',
        transforms=[[dict(type='RandomResizedCrop', size=8)]],
        num_views=[2],
    ),
    dict(type='PackInputs'),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ('a/1.png', 'a/2.png', 'b/1.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def repeated(root: Path, times: int, **settings: Any) -> RepeatDataset:
    inner = dict(type='ImageFolder', data_root=str(root))
    return DATASETS.build(dict(type='RepeatDataset', dataset=inner, times=times, **settings))


def test_it_is_the_data_set_over_and_over(root: Path) -> None:
    dataset, alone = repeated(root, 3, pipeline=VIEWS), ImageFolder(root, pipeline=VIEWS)
    assert len(dataset) == 9 and dataset.num_images == 3
    assert dataset.labels.tolist() == [0, 0, 1] * 3
    assert dataset.metainfo == alone.metainfo == dict(classes=['a', 'b'])
    assert dataset.fingerprint() == alone.fingerprint()
    for index in range(9):
        assert np.array_equal(dataset.image(index), alone.image(index % 3))
        sample = dataset[SampleKey(index, 2, 5)]
        wanted = alone[SampleKey(index % 3, 2, 5, drawn=index)]
        assert all(map(torch.equal, sample['inputs'], wanted['inputs']))
        assert sample['data_samples'] == wanted['data_samples']
        assert sample['data_samples']['sample_idx'] == index % 3
    one, other = dataset[SampleKey(1, 2, 5)], dataset[SampleKey(4, 2, 5)]
    assert not all(map(torch.equal, one['inputs'], other['inputs']))


def test_the_pipeline_within(root: Path) -> None:
    inner = dict(type='ImageFolder', data_root=str(root), pipeline=VIEWS)
    dataset = RepeatDataset(inner, 2)
    assert all(
        map(torch.equal, dataset[4]['inputs'], repeated(root, 2, pipeline=VIEWS)[4]['inputs'])
    )
    with pytest.raises(ValueError, match='RepeatDataset has a pipeline and data set 0 within it'):
        RepeatDataset(inner, 2, pipeline=VIEWS)
    with pytest.raises(ValueError, match='the data set within InMemory has a pipeline'):
        InMemory(dict(type='RepeatDataset', dataset=inner, times=2))


def test_targets(root: Path) -> None:
    part = ImageFolder(root)
    part.targets = np.arange(6).reshape(3, 2)
    assert RepeatDataset(part, 2).targets.tolist() == [[0, 1], [2, 3], [4, 5]] * 2


@pytest.mark.parametrize('times', [0, -1, 1.5, True, '2'])
def test_times(root: Path, times: Any) -> None:
    with pytest.raises(ValueError, match=r'RepeatDataset.times is .*; expected a'):
        repeated(root, times)


def test_an_index_beyond_the_end(root: Path) -> None:
    with pytest.raises(IndexError, match='sample 6 of a data set with 6 samples'):
        repeated(root, 2, pipeline=VIEWS)[6]
