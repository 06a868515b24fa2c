"""MoCHi: InfoNCE with synthetic negatives mixed from the hardest ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives


@MODELS.register_module()
class HardNegativeMixingHead(ContrastiveHead):
    """The MoCo objective with more negatives, synthesised for each query from its N hardest.

    The paper's ``MoCHi (N, s, s')`` is ``num_hard=N, mixers=[PairMixing(num=s),
    QueryMixing(num=s')]``; s and s' may exceed N. Without mixers, and before ``start_epoch``, it is
    the :class:`ContrastiveHead`, bit for bit. Synthetic negatives never enter the memory.
    Source: Kalantidis et al., Hard Negative Mixing for Contrastive Learning, NeurIPS 2020.

    Args:
        mixers: Mixers, as configs or modules.
        start_epoch: First epoch, counted from 0, that synthesises.
        oracle_mix: Keep negatives of the query's own class out of the mixing (needs ``gt_label``).
        **kwargs: As in :class:`~mochi_mm.models.heads.memory_head.MemoryHead`; ``num_hard`` is N.
    """

    def __init__(
        self,
        memory: dict | nn.Module,
        num_hard: int,
        mixers: Sequence[dict | nn.Module] = (),
        start_epoch: int = 0,
        oracle_mix: bool = False,
        temperature: float = 0.2,
        mask_own_keys: bool = False,
        oracle_loss: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(memory, temperature, mask_own_keys, oracle_loss, num_hard, init_cfg)
        if start_epoch < 0:
            raise ValueError(f'start_epoch is {start_epoch}; expected 0 (from the start) or later.')
        self.mixers = nn.ModuleList(
            MODELS.build(mixer) if isinstance(mixer, dict) else mixer for mixer in mixers
        )
        self.start_epoch = start_epoch
        self._oracle_mix = oracle_mix
        self.epoch = 0

    @property
    def oracle_mix(self) -> bool:
        """Whether same-class negatives are kept out of the mixing."""
        return self._oracle_mix

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Tell the head the time; a hook calls it at the start of each epoch.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run, so mixing would never happen.
        """
        if self.mixers and self.start_epoch >= max_epochs:
            raise ValueError(
                f'start_epoch is {self.start_epoch} but the run ends after {max_epochs} epochs, so '
                'nothing would ever be mixed; lower start_epoch or remove the mixers.'
            )
        self.epoch = epoch

    def synthesise(
        self, query: Tensor, bank: Tensor, hard_index: Tensor, hard_similarity: Tensor
    ) -> Tensor | None:
        """Return the cosines (B, S) with the synthetic negatives of all mixers, in their order."""
        if not self.mixers or self.epoch < self.start_epoch:
            return None
        allowed = torch.isfinite(hard_similarity)
        hard = HardNegatives(
            bank, hard_index, hard_similarity.masked_fill(~allowed, 0.0), allowed.sum(1)
        )
        generator = self._generator(query.device)
        mixers: Any = self.mixers
        blocks = [mixer.logits(query, hard, mixer.plan(hard, generator)) for mixer in mixers]
        # A query without a single allowed negative has nothing to mix.
        return torch.cat(blocks, dim=1).masked_fill(~allowed.any(1, keepdim=True), float('-inf'))

    @torch.compiler.disable  # the key changes every step, and a compiler would specialise on it
    def _generator(self, device: Any) -> torch.Generator | None:
        return None if self.step_key is None else self.step_key.generator('mixing', device)
