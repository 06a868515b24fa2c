"""Labels and indices that a batch must hold, by setting."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.heads import ContrastiveHead, NTXentHead, SupConHead
from mochi_mm.models.heads.check_needed import check_needed

QUEUE = dict(type='FeatureQueue', length=8, dim=4)
THRESHOLD = dict(type='NegativeThreshold', length=9, alpha=0.1)


@pytest.mark.parametrize(
    ('head', 'key', 'words'),
    [
        (lambda: SupConHead(), 'gt_label', 'SupConHead needs gt_label'),
        (lambda: ContrastiveHead(QUEUE, oracle_mix=True), 'gt_label', 'class oracle needs gt_lab'),
        (lambda: NTXentHead(removal=dict(rule='oracle')), 'gt_label', 'removal needs gt_label'),
        (lambda: ContrastiveHead(QUEUE, mask_own_keys=True), 'sample_idx', 'mask_own_keys needs'),
        (lambda: NTXentHead(threshold=THRESHOLD), 'sample_idx', 'NegativeThreshold needs sample'),
    ],
)
def test_what_a_setting_asks_for(head: Any, key: str, words: str) -> None:
    made = head()
    samples = dict(gt_label=torch.arange(4), sample_idx=torch.arange(4))
    check_needed(made, samples)
    for wrong in ({}, {**samples, key: torch.tensor([0, 1, -1, 2])}):
        with pytest.raises(ValueError, match=words):
            check_needed(made, wrong)


def test_nothing_is_asked_of_a_plain_head() -> None:
    samples = dict(gt_label=torch.tensor([-1, -1]))
    assert NTXentHead().loss(torch.eye(2)[:, None].repeat(1, 2, 1), samples)['loss_contrast'] > 0
