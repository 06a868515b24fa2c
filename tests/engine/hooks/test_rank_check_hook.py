"""Ranks that drift apart are found; their own running statistics are no drift."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mochi_mm.engine.hooks import RankCheckHook
from mochi_mm.models.layers.norm_twins import NormTwins
from tests.ranks import run_ranks


def _check(rank: int, drift: bool) -> str:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model.append(NormTwins(model))  # norms that stand apart have statistics of each rank, too
    model[1].running_mean += rank
    model[2].get_buffer('1.running_mean').sub_(rank)
    if drift and rank:
        model[0].bias.data[1] = torch.nextafter(model[0].bias.data[1], torch.tensor(9.0))
    runner = SimpleNamespace(model=model, iter=4)
    RankCheckHook(interval=3).after_train_iter(runner, 4)  # not yet
    try:
        RankCheckHook(interval=5).after_train_iter(runner, 4)
    except RuntimeError as error:
        return str(error)
    return 'equal'


@pytest.mark.parametrize('drift', [False, True])
def test_one_bit_is_found(drift: bool) -> None:
    for text in run_ranks(_check, 2, drift):
        assert ('1 of 6 tensors of rank 1 differ' in text) is drift, text
        assert ('first 0.bias' in text) is drift
