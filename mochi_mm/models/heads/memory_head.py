"""The frame of every objective whose negatives live in a memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.statistics import contrastive_accuracy, mean_finite
from mochi_mm.registry import MODELS
from mochi_mm.utils.distributed import mean_over_ranks
from mochi_mm.utils.keyed_random import StepKey

DataSamples = Mapping[str, Tensor]


class MemoryHead(BaseModule):
    """Query and key in, losses and statistics out; the memory is written last.

    The order of one step is fixed here: normalise in float32, take the cosines with the memory,
    mask, synthesise (:meth:`synthesise`, nothing by default), objective (:meth:`objective`),
    statistics, enqueue. A subclass states its equation.

    Args:
        memory: The memory, as a config or a module.
        temperature: Divides every cosine, > 0.
        mask_own_keys: Never push a query from an older key of the same image (needs
            ``sample_idx`` in the data samples).
        oracle_loss: Leave negatives of the query's own class out of the loss (needs ``gt_label``).
        num_hard: N, the hardest negatives that the statistics average over; None takes 1024 or the
            whole memory if it is shorter.
        init_cfg: See MMEngine.
    """

    def __init__(
        self,
        memory: dict | torch.nn.Module,
        temperature: float = 0.2,
        mask_own_keys: bool = False,
        oracle_loss: bool = False,
        num_hard: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not temperature > 0:
            raise ValueError(
                f'temperature is {temperature}; expected a number above 0, such as 0.2.'
            )
        built: Any = MODELS.build(memory) if isinstance(memory, dict) else memory
        self.memory = built
        self.temperature = temperature
        self.mask_own_keys = mask_own_keys
        self.oracle_loss = oracle_loss
        length = int(built.length)
        num_hard = min(1024, length) if num_hard is None else num_hard
        if not 1 <= num_hard <= length:
            raise ValueError(
                f'num_hard is {num_hard} but the memory holds {length} keys; expected '
                f'1 <= num_hard <= {length}. Lower num_hard or lengthen the memory.'
            )
        self.num_hard = num_hard
        self.step_key: StepKey | None = None

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self.step_key = step_key

    def loss(
        self, query: Tensor, key: Tensor, data_samples: DataSamples | None = None
    ) -> dict[str, Tensor]:
        """Return the losses and statistics of one batch, then put its keys into the memory.

        Args:
            query: (B, D) raw embeddings, with gradient.
            key: (B, D) raw embeddings of the other view.
            data_samples: ``sample_idx`` (B,) and ``gt_label`` (B,), where they are known.

        Returns:
            Scalars: names with ``loss`` in them are optimised, the others logged.
        """
        with torch.autocast(query.device.type, enabled=False):
            return self._loss(query.float(), key.detach().float(), data_samples or {})

    def _loss(self, query: Tensor, key: Tensor, data_samples: DataSamples) -> dict[str, Tensor]:
        self._check_width(query, key)
        query, key = F.normalize(query, dim=1), F.normalize(key, dim=1)
        bank = self.memory.snapshot()
        positive = (query * key).sum(1)
        similarity = query @ bank.T
        negatives, minable = self._mask(similarity, data_samples)
        hard_index, hard_similarity = select_hardest(minable, self.num_hard)
        synthetic = self.synthesise(query, bank, hard_index, hard_similarity)
        per_query = self.objective(positive, negatives, synthetic)
        losses = {name: mean_over_ranks(value) for name, value in per_query.items()}
        with torch.no_grad():
            losses.update(self.statistics(positive, negatives, hard_similarity, synthetic))
        self.memory.enqueue(key, data_samples.get('gt_label'), data_samples.get('sample_idx'))
        return losses

    @abstractmethod
    def objective(
        self, positive: Tensor, negatives: Tensor, synthetic: Tensor | None
    ) -> dict[str, Tensor]:
        """Return losses (B,) by name, from cosines without temperature.

        Args:
            positive: (B,) with the own key.
            negatives: (B, K) with the memory; -inf where masked.
            synthetic: (B, S) with the synthetic negatives, or None.
        """

    def synthesise(
        self, query: Tensor, bank: Tensor, hard_index: Tensor, hard_similarity: Tensor
    ) -> Tensor | None:
        """Return the cosines (B, S) with synthetic negatives, None for none.

        Args:
            query: (B, D) unit rows.
            bank: (K, D) unit rows, the memory before this step.
            hard_index: (B, N) the hardest rows of the bank.
            hard_similarity: (B, N) their cosines, -inf where fewer than N rows are allowed.
        """
        return None

    def statistics(
        self, positive: Tensor, negatives: Tensor, hard_similarity: Tensor, synthetic: Tensor | None
    ) -> dict[str, Tensor]:
        """Return what is logged beside the loss; those with synthetic negatives equal the plain
        ones while there are none. Accuracies and shares are in [0, 1]."""
        hardest = negatives.detach().amax(1)
        stats = dict(
            acc_contrast=contrastive_accuracy(positive, hardest),
            acc_contrast_synthetic=contrastive_accuracy(positive, hardest),
            sim_positive=positive.mean(),
            sim_hardest=mean_finite(hard_similarity),
            share_harder=positive.new_zeros(()),
            queue_fill=self.memory.fill(),
            chance_level=positive.new_tensor(float(self.memory.length + 1)).log(),
        )
        if synthetic is not None:
            both = torch.maximum(hardest, synthetic.amax(1))
            stats['acc_contrast_synthetic'] = contrastive_accuracy(positive, both)
            stats['share_harder'] = (synthetic > hardest[:, None]).float().mean()
        return stats

    def _mask(self, similarity: Tensor, data_samples: DataSamples) -> tuple[Tensor, Tensor]:
        """Return the cosines for the loss and for choosing hard negatives, -inf where masked."""
        dropped = None
        if self.mask_own_keys:
            dropped = self.memory.own_keys(self._known(data_samples, 'sample_idx', 'mask_own_keys'))
        from_loss = from_mixing = dropped
        if self.oracle_loss or self.oracle_mix:
            same = self.memory.same_class(self._known(data_samples, 'gt_label', 'a class oracle'))
            both = same if dropped is None else same | dropped
            from_loss = both if self.oracle_loss else dropped
            from_mixing = both if self.oracle_mix else dropped
        infinity = float('-inf')
        negatives = similarity if from_loss is None else similarity.masked_fill(from_loss, infinity)
        minable = similarity.detach()
        if from_mixing is not None:
            minable = minable.masked_fill(from_mixing, infinity)
        return negatives, minable

    @property
    def oracle_mix(self) -> bool:
        """Whether same-class negatives are kept out of the mixing; here, nothing is mixed."""
        return False

    @staticmethod
    def _known(data_samples: DataSamples, name: str, reason: str) -> Tensor:
        values: Any = data_samples.get(name)
        if values is None or bool((values < 0).any()):
            raise ValueError(
                f'{reason} needs {name} for every sample, got '
                f'{"none" if values is None else "unknown ones (-1)"}; use a data set that gives '
                f'{name}, or switch {reason} off.'
            )
        return values

    def _check_width(self, query: Tensor, key: Tensor) -> None:
        expected = (len(query), self.memory.dim)
        if tuple(query.shape) != expected or tuple(key.shape) != expected:
            raise ValueError(
                f'query {tuple(query.shape)} and key {tuple(key.shape)} do not fit a memory of '
                f'width {self.memory.dim}; expected (batch, {self.memory.dim}) for both: set the '
                'dim of the memory to the width of the neck.'
            )
