"""MoCHi: InfoNCE with synthetic negatives mixed from the hardest ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.registry import MODELS


@MODELS.register_module()
class HardNegativeMixingHead(ContrastiveHead):
    """The MoCo objective with more negatives, synthesized for each query from its N hardest.

    The paper's ``MoCHi (N, s, s')`` is ``num_hard=N, mixers=[PairMixing(num=s),
    QueryMixing(num=s')]``; s and s' may exceed N. Any contrastive head takes the same as
    ``mixing=dict(num_hard=..., mixers=[...])``; this one is the method's public name. Without
    mixers, and before ``start_epoch``, it is the :class:`ContrastiveHead`, bit for bit. Synthetic
    negatives never enter the memory.
    Source: Kalantidis et al., Hard Negative Mixing for Contrastive Learning, NeurIPS 2020.

    Args:
        memory: The memory, as a config or a module.
        num_hard: N.
        mixers: Mixers, as configs or modules.
        skip: Ranks left out before the N hardest.
        start_epoch: First epoch, counted from 0, that synthesizes.
        **kwargs: As in :class:`~mochi_mm.models.heads.BaseContrastiveHead`.

    Raises:
        ValueError: ``mixing``, which is what the arguments here make.

    >>> import torch
    >>> from mochi_mm.models.memories import FeatureQueue
    >>> from mochi_mm.models.mixers import PairMixing, QueryMixing
    >>> queue = FeatureQueue(length=64, dim=16)
    >>> mixers = [PairMixing(num=8), QueryMixing(num=4)]
    >>> head = HardNegativeMixingHead(queue, num_hard=16, mixers=mixers)
    >>> query, key = torch.randn(2, 4, 16).requires_grad_()
    >>> losses = head.loss(query, key)
    >>> losses['loss_contrast'].backward()
    >>> float(queue.fill())
    0.0625
    """

    def __init__(
        self,
        memory: dict | nn.Module,
        num_hard: int,
        mixers: Sequence[dict | nn.Module] = (),
        skip: int = 0,
        start_epoch: int = 0,
        **kwargs: Any,
    ) -> None:
        if 'mixing' in kwargs:
            raise ValueError(
                'HardNegativeMixingHead takes num_hard, mixers, skip and start_epoch by '
                'themselves, and no mixing; use ContrastiveHead with mixing=dict(...).'
            )
        mixing = dict(num_hard=num_hard, skip=skip, start_epoch=start_epoch, mixers=mixers)
        super().__init__(memory, mixing=mixing, **kwargs)
