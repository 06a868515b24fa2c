"""What any head needs to mix hard negatives into synthetic ones (Kalantidis et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.models.heads.checks import check_integer
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import HardNegatives


class SyntheticNegatives(BaseModule):
    """Holds the mixers, knows the time and the step, and gives the synthetic cosines.

    Args:
        mixers: Mixers, as configs or modules; none of them synthesises nothing.
        start_epoch: First epoch, counted from 0, that synthesises.
        init_cfg: See MMEngine.
    """

    def __init__(
        self,
        mixers: Sequence[dict | nn.Module] = (),
        start_epoch: int = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_integer('start_epoch', start_epoch, 10, least=0)
        self.mixers = nn.ModuleList(
            MODELS.build(mixer) if isinstance(mixer, dict) else mixer for mixer in mixers
        )
        for mixer in self.mixers:
            if not isinstance(mixer, BaseMixer):
                raise ValueError(
                    f'{type(mixer).__name__} is no mixer; expected PairMixing, QueryMixing or '
                    'another subclass of BaseMixer.'
                )
        self.start_epoch = start_epoch
        self.epoch = 0
        self.step_key: StepKey | None = None

    def check_num_hard(self, num_hard: int) -> None:
        """Let each mixer refuse a number of hard negatives that it cannot work on."""
        mixers: Any = self.mixers
        for mixer in mixers:
            mixer.check_num_hard(num_hard)

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self.step_key = step_key

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
        """Return the cosines (B, S) with the synthetic negatives of all mixers, in their order.

        Args:
            query: (B, D) unit rows.
            bank: (K, D) unit rows that are left alone until the backward is done.
            hard_index: (B, N) the hardest rows of the bank.
            hard_similarity: (B, N) their cosines, -inf where fewer than N rows are allowed.

        Returns:
            None without mixers and before ``start_epoch``.
        """
        if not self.mixers or self.epoch < self.start_epoch:
            return None
        hard, allowed = usable(bank, hard_index, hard_similarity)
        generator = self.generator('mixing', query.device)
        mixers: Any = self.mixers
        blocks = [mixer.logits(query, hard, mixer.plan(hard, generator)) for mixer in mixers]
        # A query without a single allowed negative has nothing to mix.
        return torch.cat(blocks, dim=1).masked_fill(~allowed[:, None], float('-inf'))

    @torch.compiler.disable  # the key changes every step, and a compiler would specialise on it
    def generator(self, stream: str, device: Any) -> torch.Generator | None:
        """Return this rank's generator of the step for ``stream``, None if no step was named."""
        return None if self.step_key is None else self.step_key.generator(stream, device)


def usable(bank: Tensor, index: Tensor, similarity: Tensor) -> tuple[HardNegatives, Tensor]:
    """Return the hard negatives as mixers take them, and which queries (B,) have any.

    Args:
        bank: (K, D) unit rows.
        index: (B, N) the hardest rows of the bank.
        similarity: (B, N) their cosines, -inf where fewer than N rows are allowed.
    """
    allowed = torch.isfinite(similarity)
    hard = HardNegatives(bank, index, similarity.masked_fill(~allowed, 0.0), allowed.sum(1))
    return hard, allowed.any(1)
