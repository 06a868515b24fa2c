"""What every sample must come with."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.structures.known import check_lengths, check_optional, require_class, require_known


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


@pytest.mark.parametrize(
    ('values', 'found'),
    [
        (torch.zeros(3, 1, dtype=torch.int64), r'shape \(3, 1\) of torch.int64'),
        (torch.eye(3, dtype=torch.int64), r'shape \(3, 3\)'),
        (torch.zeros(3), r'shape \(3,\) of torch.float32'),
        (torch.zeros(3, dtype=torch.bool), r'shape \(3,\) of torch.bool'),
        (torch.tensor(3), r'shape \(\)'),
        (torch.zeros(3, 1, dtype=torch.int64, device='meta'), r'shape \(3, 1\)'),
    ],
)
def test_shapes_and_types_are_checked_on_any_device(values: torch.Tensor, found: str) -> None:
    with pytest.raises(ValueError, match=f'cluster is a tensor of {found}.*expected integers of'):
        require_known(dict(cluster=values), 'cluster', 'a head')


def test_what_may_be_missing_is_checked_where_it_is_there() -> None:
    check_optional(dict(gt_label=torch.tensor([0, -1])), 'gt_label', 'sample_idx')
    with pytest.raises(ValueError, match='gt_label is a tensor of shape'):
        check_optional(dict(gt_label=torch.zeros(2, 1)), 'sample_idx', 'gt_label')


def test_samples_have_a_row_for_each_image() -> None:
    check_lengths(dict(gt_label=torch.zeros(3), scores=torch.zeros(3, 5), path=['a']), 3)
    with pytest.raises(ValueError, match=r'sample_idx of shape \(6,\) for a batch of 3 images'):
        check_lengths(dict(gt_label=torch.zeros(3), sample_idx=torch.zeros(6)), 3)
    with pytest.raises(ValueError, match='the batch holds no image; expected at least 1'):
        check_lengths({}, 0)
