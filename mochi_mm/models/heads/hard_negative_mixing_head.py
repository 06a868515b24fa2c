"""MoCHi: InfoNCE with synthetic negatives mixed from the hardest ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.registry import MODELS


@MODELS.register_module()
class HardNegativeMixingHead(ContrastiveHead):
    """The MoCo objective with more negatives, synthesised for each query from its N hardest.

    The paper's ``MoCHi (N, s, s')`` is ``num_hard=N, mixers=[PairMixing(num=s),
    QueryMixing(num=s')]``; s and s' may exceed N. Every memory head takes mixers; this one is the
    method's public name, and N has to be said. Without mixers, and before ``start_epoch``, it is
    the :class:`ContrastiveHead`, bit for bit. Synthetic negatives never enter the memory.
    Source: Kalantidis et al., Hard Negative Mixing for Contrastive Learning, NeurIPS 2020.

    Args:
        memory: The memory, as a config or a module.
        num_hard: N.
        mixers: Mixers, as configs or modules.
        **kwargs: As in :class:`~mochi_mm.models.heads.memory_head.MemoryHead`.
    """

    def __init__(
        self,
        memory: dict | nn.Module,
        num_hard: int,
        mixers: Sequence[dict | nn.Module] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, num_hard=num_hard, mixers=mixers, **kwargs)
