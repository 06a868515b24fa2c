"""SyncBN becomes ordinary batch norm where it cannot work, and the log says so."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.transfer import RevertSyncBNHook
from tests.ranks import run_ranks


def reverted(sync: bool) -> tuple[nn.Module, list[str]]:
    """A network after the hook, and what was logged."""
    lines: list[str] = []
    logger = logging.Logger('quiet')
    logger.addHandler(SimpleHandler(lines))
    norm: Any = nn.SyncBatchNorm if sync else nn.BatchNorm2d
    model = nn.Sequential(nn.Conv2d(3, 4, 1), norm(4))
    model[1].running_mean.fill_(0.5)
    RevertSyncBNHook().before_run(SimpleNamespace(model=model, logger=logger))
    return model, lines


class SimpleHandler(logging.Handler):
    """Keeps the messages."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.mark.parametrize('sync', [True, False])
def test_without_a_process_group(sync: bool) -> None:
    model, lines = reverted(sync)
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in model.modules())
    assert model[1].running_mean.tolist() == [0.5] * 4
    model.train()(torch.randn(2, 3, 4, 4)).sum().backward()
    assert len(lines) == 1 and 'there is no process group, so SyncBN is reverted' in lines[0]


def test_the_optimizer_keeps_its_weights() -> None:
    model = nn.Sequential(nn.SyncBatchNorm(4))
    weight = model[0].weight
    RevertSyncBNHook().before_run(SimpleNamespace(model=model, logger=logging.Logger('quiet')))
    assert model[0].weight is weight


def _rank(rank: int) -> tuple[bool, list[str]]:
    model, lines = reverted(True)
    model.train()(torch.randn(2, 3, 4, 4)).sum().backward()
    return any(isinstance(m, nn.SyncBatchNorm) for m in model.modules()), lines


def test_in_a_group_on_the_cpu() -> None:
    for still_synced, lines in run_ranks(_rank, 2):
        assert not still_synced
        assert len(lines) == 1 and 'torch has no SyncBN for the CPU' in lines[0]
