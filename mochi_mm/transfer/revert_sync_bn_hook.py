"""Synchronized batch norm, made ordinary where it cannot run."""

from __future__ import annotations

import logging
from typing import Any

import torch.distributed as dist
from mmengine.hooks import Hook
from mmengine.model import revert_sync_batchnorm
from torch.nn import SyncBatchNorm

from mochi_mm.registry import HOOKS
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class RevertSyncBNHook(Hook):
    """Revert SyncBN to batch norm without a process group and on the CPU, with a log line.

    MMEngine turns batch norms into SyncBN for ``sync_bn='torch'`` where there are several
    processes, and reverts those of a config where there is only one. Left is the CPU, where torch
    has no SyncBN that trains. Weights and statistics are kept.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Any) -> None:
        """Revert synchronized batch norm where it cannot run, and log."""
        model = unwrap(runner.model)
        synced = [name for name, m in model.named_modules() if isinstance(m, SyncBatchNorm)]
        grouped = dist.is_available() and dist.is_initialized()
        on_cpu = next(model.parameters()).device.type == 'cpu'
        if synced and (on_cpu or not grouped):
            revert_sync_batchnorm(model)
        if grouped and on_cpu:
            runner.logger.log(
                logging.WARNING,
                'batch norm is not synchronised: torch has no SyncBN for the CPU, so each process '
                'normalizes by its own images',
            )
        elif not grouped:
            runner.logger.info(
                'batch norm is not synchronised: there is no process group, so SyncBN is reverted '
                'to ordinary batch norm'
            )
        else:
            runner.logger.info(f'batch norm is synchronised over all ranks: {len(synced)} layers')
