"""Normalisation by the formula, and the batch contract."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.data_preprocessors import ViewDataPreprocessor


def test_normalises_each_view() -> None:
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)
    preprocessor = ViewDataPreprocessor(mean, std)
    views = [torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8) for _ in range(3)]
    labels = torch.tensor([3, -1])
    batch = preprocessor(dict(inputs=views, data_samples=dict(gt_label=labels)), True)
    for view, out in zip(views, batch['inputs'], strict=True):
        assert out.dtype == torch.float32
        for channel in range(3):
            expected = (view[:, channel].double() - mean[channel]) / std[channel]
            torch.testing.assert_close(out[:, channel].double(), expected, rtol=1e-6, atol=1e-6)
    assert torch.equal(batch['data_samples']['gt_label'], labels)


def test_state_dict_is_empty() -> None:
    assert ViewDataPreprocessor().state_dict() == {}


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='std above 0'):
        ViewDataPreprocessor(std=(1, 0, 1))
    with pytest.raises(ValueError, match='three numbers each'):
        ViewDataPreprocessor(mean=(1,))
    preprocessor = ViewDataPreprocessor()
    with pytest.raises(
        ValueError, match=r'a tensor of shape \(2, 3, 4, 4\); expected a list of views'
    ):
        preprocessor(dict(inputs=torch.zeros(2, 3, 4, 4), data_samples={}))
    with pytest.raises(ValueError, match='default_collate'):
        preprocessor(dict(inputs=[torch.zeros(2, 1, 4, 4)], data_samples={}))
