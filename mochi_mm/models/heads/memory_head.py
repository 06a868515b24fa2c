"""The frame of every objective whose negatives live in a memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.distributed.rows import mean_over_ranks
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.statistics import contrastive_accuracy, mean_finite
from mochi_mm.models.heads.checks import check_temperature, known
from mochi_mm.models.heads.roles import Roles, either, without
from mochi_mm.models.heads.synthetic_negatives import SyntheticNegatives
from mochi_mm.registry import MODELS

DataSamples = Mapping[str, Tensor]
Views = Mapping[int, Tensor]
Weights = tuple[Tensor, Tensor] | None


class MemoryHead(SyntheticNegatives):
    """Query and key in, losses and statistics out; the memory is written last.

    The order of one step is fixed here: normalise in float32, take the cosines with the memory,
    say what each row is (:meth:`roles`), mask, synthesise (nothing without mixers), objective
    (:meth:`objective`), statistics, enqueue. A subclass states its equation.

    Args:
        memory: The memory, as a config or a module.
        temperature: Divides every cosine, > 0.
        mask_own_keys: Never push a query from an older key of the same image (needs
            ``sample_idx`` in the data samples).
        oracle_loss: Leave negatives of the query's own class out of the loss (needs ``gt_label``).
        num_hard: N, the hardest negatives that are mixed and that the statistics average over;
            None takes 1024 or the whole memory if it is shorter.
        mixers: See :class:`SyntheticNegatives`.
        start_epoch: See :class:`SyntheticNegatives`.
        oracle_mix: Keep negatives of the query's own class out of the mixing (needs ``gt_label``).
        init_cfg: See MMEngine.
    """

    #: Algorithms that hand this head what it takes.
    algorithms: tuple[str, ...] = ('MoCo', 'MomentumContrast')

    def __init__(
        self,
        memory: dict | nn.Module,
        temperature: float = 0.2,
        mask_own_keys: bool = False,
        oracle_loss: bool = False,
        num_hard: int | None = None,
        mixers: Sequence[dict | nn.Module] = (),
        start_epoch: int = 0,
        oracle_mix: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(mixers, start_epoch, init_cfg)
        self.temperature = check_temperature(temperature)
        built: Any = MODELS.build(memory) if isinstance(memory, dict) else memory
        self.memory = built
        self.mask_own_keys = mask_own_keys
        self.oracle_loss, self.oracle_mix = oracle_loss, oracle_mix
        length = int(built.length)
        num_hard = min(1024, length) if num_hard is None else num_hard
        whole = isinstance(num_hard, int) and not isinstance(num_hard, bool)
        if not whole or not 1 <= num_hard <= length:
            raise ValueError(
                f'num_hard is {num_hard!r} but the memory holds {length} keys; expected '
                f'1 <= num_hard <= {length}. Lower num_hard or lengthen the memory.'
            )
        self.num_hard = num_hard
        self.check_num_hard(num_hard)

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
        return self.loss_views({0: query}, {1: key}, data_samples)

    def loss_views(
        self, queries: Views, keys: Views, data_samples: DataSamples | None = None
    ) -> dict[str, Tensor]:
        """Return the mean over all pairs of a query and a key of different views of an image.

        Args:
            queries: (B, D) raw embeddings by the number of their view, with gradient.
            keys: (B, D) raw embeddings by the number of their view; each is enqueued once.
            data_samples: As in :meth:`loss`.
        """
        device = next(iter(queries.values())).device
        self._check_views(queries, keys)
        with torch.autocast(device.type, enabled=False):
            queries = {view: F.normalize(q.float(), dim=1) for view, q in queries.items()}
            keys = {view: F.normalize(k.detach().float(), dim=1) for view, k in keys.items()}
            losses = self._loss(queries, keys, data_samples or {})
            self._enqueue(keys, data_samples or {})
        return losses

    def check_view_numbers(self, queries: Sequence[int], keys: Sequence[int]) -> None:
        """Refuse numbers of views that :meth:`loss_views` would refuse; here none.

        Args:
            queries: Numbers of the views whose queries will be given.
            keys: Numbers of the views whose keys will be given.
        """

    def _loss(self, queries: Views, keys: Views, samples: DataSamples) -> dict[str, Tensor]:
        """Return losses and statistics of unit rows; the memory is not written yet."""
        pairs = [(q, k) for i, q in queries.items() for j, k in keys.items() if i != j]
        query, key = (torch.cat(part) for part in zip(*pairs, strict=True))
        bank = self.memory.snapshot()
        roles = self.roles(key, bank, repeat_samples(samples, len(pairs)))
        return self.compare(query, (query * key).sum(1, keepdim=True), bank, roles)

    def roles(self, key: Tensor, bank: Tensor, data_samples: DataSamples) -> Roles:
        """Say what each memory row is to each query; here, own keys and oracles.

        Args:
            key: (B, D) unit rows, the own keys.
            bank: (K, D) unit rows, the memory before this step.
            data_samples: Of the queries.

        Raises:
            ValueError: A label or an index that a setting needs is not known.
        """
        own = None
        if self.mask_own_keys:
            own = self.memory.own_keys(known(data_samples, 'sample_idx', 'mask_own_keys'))
        dropped = unmixed = own
        if self.oracle_loss or self.oracle_mix:
            same = self.memory.same_class(known(data_samples, 'gt_label', 'a class oracle'))
            both = either(own, same)
            dropped = both if self.oracle_loss else own
            unmixed = both if self.oracle_mix else own
        return Roles(dropped=dropped, unmixed=unmixed)

    def compare(self, query: Tensor, own: Tensor, bank: Tensor, roles: Roles) -> dict[str, Tensor]:
        """Return the losses, averaged over the queries of all ranks, and the statistics.

        Args:
            query: (B, D) unit rows, with gradient.
            own: (B, P) cosines with the own keys.
            bank: (K, D) unit rows, the memory before this step.
            roles: What its rows are to each query.
        """
        similarity = query @ bank.T
        negatives = without(similarity, roles.dropped)
        minable = without(similarity.detach(), either(roles.unmixed, roles.positives))
        hard_index, hard_similarity = select_hardest(minable, self.num_hard)
        synthetic = self.synthesise(query, bank, hard_index, hard_similarity)
        per_query = self.objective(own, negatives, synthetic, roles.weights(own))
        losses = {name: mean_over_ranks(value) for name, value in per_query.items()}
        with torch.no_grad():
            pushing = without(negatives.detach(), roles.positives)
            losses.update(self.statistics(own, pushing, hard_similarity, synthetic))
        return losses

    @abstractmethod
    def objective(
        self, own: Tensor, rows: Tensor, synthetic: Tensor | None, weights: Weights
    ) -> dict[str, Tensor]:
        """Return losses (B,) by name, from cosines without temperature.

        Args:
            own: (B, P) with the own keys.
            rows: (B, K) with the memory; -inf where dropped.
            synthetic: (B, S) with the synthetic negatives, or None.
            weights: Pull of the own keys (B, P) and of the rows (B, K); None where the own keys
                alone pull.
        """

    def statistics(
        self, own: Tensor, pushing: Tensor, hard_similarity: Tensor, synthetic: Tensor | None
    ) -> dict[str, Tensor]:
        """Return what is logged beside the loss; those with synthetic negatives equal the plain
        ones while there are none. Accuracies and shares are in [0, 1]."""
        positive, hardest = own.mean(1), pushing.amax(1)
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

    def _enqueue(self, keys: Views, samples: DataSamples) -> None:
        """Write every key once, with the label and the index of its image.

        Image by image, so that several ranks leave what one process leaves.
        """
        rows = torch.stack(list(keys.values()), dim=1).flatten(0, 1)
        known_samples = {
            name: samples[name].repeat_interleave(len(keys))
            for name in ('gt_label', 'sample_idx')
            if name in samples
        }
        self.memory.enqueue(rows, known_samples.get('gt_label'), known_samples.get('sample_idx'))

    def _check_views(self, queries: Views, keys: Views) -> None:
        if not any(i != j for i in queries for j in keys):
            raise ValueError(
                f'queries of the views {sorted(queries)} and keys of the views {sorted(keys)}; '
                'expected at least one query and one key of different views of an image.'
            )
        rows = len(next(iter(queries.values())))
        for name, views in (('query', queries), ('key', keys)):
            for embedding in views.values():
                if tuple(embedding.shape) != (rows, self.memory.dim):
                    raise ValueError(
                        f'{name} {tuple(embedding.shape)} does not fit {rows} images and a memory '
                        f'of width {self.memory.dim}; expected (batch, {self.memory.dim}): set '
                        'the dim of the memory to the width of the neck.'
                    )


def repeat_samples(data_samples: DataSamples, times: int) -> DataSamples:
    """Return the labels and indices of a batch that is repeated ``times`` times."""
    if times == 1:
        return data_samples
    names = [name for name in ('gt_label', 'sample_idx') if name in data_samples]
    return {name: data_samples[name].repeat(times) for name in names}
