"""What every sample must come with."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.structures.known import require_class, require_known


def test_known_values_are_returned() -> None:
    values = torch.tensor([0, 3])
    assert require_known(dict(gt_label=values), 'gt_label', 'a head') is values


@pytest.mark.parametrize(
    ('samples', 'name', 'message'),
    [
        ({}, 'gt_label', 'a head needs gt_label for every sample, got none; use images in class'),
        (dict(gt_label=[1, -1]), 'gt_label', r'got unknown ones \(-1\); use images in class folde'),
        ({}, 'sample_idx', 'a head needs sample_idx.*use a data set that numbers its samples'),
        ({}, 'bias', r"use a data set that gives bias and PackInputs\(extra_keys=\['bias'\]\)"),
    ],
)
def test_unknown_ones_are_refused(samples: dict, name: str, message: str) -> None:
    tensors = {key: torch.tensor(value) for key, value in samples.items()}
    with pytest.raises(ValueError, match=message):
        require_known(tensors, name, 'a head')


def test_values_on_an_accelerator_are_not_read() -> None:
    """Which would wait for it; a meta tensor has none to read."""
    values = torch.empty(2, dtype=torch.long, device='meta')
    assert require_known(dict(gt_label=values), 'gt_label', 'a head') is values


def test_labels_beyond_the_classes_are_refused_on_the_host() -> None:
    require_class(torch.tensor([0, 2]), 3, 'a head')
    require_class(torch.empty(2, dtype=torch.long, device='meta'), 3, 'a head')
    with pytest.raises(ValueError, match='label 4 but a head has 3 classes; .* to at least 5'):
        require_class(torch.tensor([4, 0, 3]), 3, 'a head')
