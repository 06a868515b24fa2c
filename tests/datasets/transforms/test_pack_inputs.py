"""PackInputs: the contract of a sample, and of a batch."""

from __future__ import annotations

import mmengine.dataset
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from mochi_mm.datasets.transforms import PackInputs


def sample(picture, **extra) -> dict:
    return dict(img=picture, gt_label=np.int64(3), sample_idx=7, rng=None, **extra)


def test_pixels_and_types(picture) -> None:
    out = PackInputs()(sample(picture))
    assert set(out) == {'inputs', 'data_samples'}
    (view,) = out['inputs']
    assert view.dtype is torch.uint8
    assert view.is_contiguous()
    assert np.array_equal(view.numpy(), np.asarray(picture).transpose(2, 0, 1))
    assert out['data_samples'] == dict(gt_label=3, sample_idx=7)
    assert all(type(value) is int for value in out['data_samples'].values())


def test_views_come_first(picture) -> None:
    views = [picture.resize((4, 5)), picture.resize((6, 7))]
    inputs = PackInputs()(sample(picture, views=views))['inputs']
    assert [tuple(view.shape) for view in inputs] == [(3, 5, 4), (3, 7, 6)]


@pytest.mark.parametrize('collate', [default_collate, mmengine.dataset.default_collate])
def test_default_collate_makes_the_batch(picture, collate) -> None:
    pack = PackInputs(extra_keys=['bias', 'weight'])
    views = [picture, picture.resize((12, 10))]
    batch = collate(
        [pack(sample(picture, views=views, bias=np.int64(i), weight=0.5)) for i in range(4)]
    )
    assert [tuple(view.shape) for view in batch['inputs']] == [(4, 3, 61, 90), (4, 3, 10, 12)]
    assert {view.dtype for view in batch['inputs']} == {torch.uint8}
    assert all(view.is_contiguous() for view in batch['inputs'])
    labels = batch['data_samples']
    assert labels['gt_label'].dtype is torch.int64
    assert labels['gt_label'].tolist() == [3] * 4
    assert labels['sample_idx'].tolist() == [7] * 4
    assert labels['bias'].dtype is torch.int64
    assert labels['bias'].tolist() == [0, 1, 2, 3]
    assert labels['weight'].tolist() == [0.5] * 4


def test_missing_extra_key(picture) -> None:
    with pytest.raises(KeyError, match=r"'bias'.*gt_label"):
        PackInputs(extra_keys=['bias'])(sample(picture))


@pytest.mark.parametrize('wrong', ['bias', [1]])
def test_bad_extra_keys(wrong) -> None:
    with pytest.raises(ValueError, match='extra_keys'):
        PackInputs(extra_keys=wrong)


def test_not_rgb(picture) -> None:
    for image, kind in ((picture.convert('L'), 'L'), (np.zeros((2, 2, 3), np.uint8), 'ndarray')):
        with pytest.raises(ValueError, match=f'RGB, got {kind}'):
            PackInputs()(sample(image))
