"""CMC: each view of an image finds the image in the bank of every other view."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, permutations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.distributed.rows import gather_rows, mean_over_ranks
from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.functional.info_nce import info_nce
from mochi_mm.models.functional.nce import binary_nce, log_normaliser
from mochi_mm.models.functional.statistics import contrastive_accuracy
from mochi_mm.models.heads.checks import (
    check_choice,
    check_integer,
    check_number,
    check_temperature,
)
from mochi_mm.models.heads.memory_head import DataSamples
from mochi_mm.models.heads.synthetic_negatives import SyntheticNegatives
from mochi_mm.registry import MODELS

FORMS = ('nce', 'softmax')


@MODELS.register_module()
class CrossViewHead(SyntheticNegatives):
    """V embeddings of each image against V instance banks, over all ordered pairs of views.

    Of every other view's bank an embedding meets the own row and ``num_negatives`` rows drawn
    uniformly, the same images for all pairs. ``nce`` sums binary decisions with a normaliser Z that
    the first finite batch fixes, one for each pair, kept in the checkpoint; ``softmax`` is InfoNCE.
    The losses of the pairs are added; the banks are written last. Source: Tian et al., Contrastive
    Multiview Coding, ECCV 2020; code HobbitLong/CMC.

    Args:
        memories: One :class:`InstanceBank` for each view, as configs or modules. A config without
            ``init_seed`` gets the number of its view, so that no two start from the same rows.
        num_negatives: K, rows drawn for each image.
        form: ``nce`` or ``softmax``.
        temperature: Divides every cosine, > 0.
        exclude_own: Draw other images only. The authors' code draws from all, the own included.
        eps: Added in the denominators of ``nce``, as the authors' code does.
        num_hard: N, drawn rows that are mixed, the own never; None takes all of them.
        mixers: See :class:`SyntheticNegatives`; with ``softmax`` only.
        start_epoch: See :class:`SyntheticNegatives`.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Fewer than two banks, banks that differ in size or start from the same rows, an
            impossible setting, mixers with ``nce``.
    """

    algorithms: tuple[str, ...] = ('CrossViewContrast',)

    log_z: Tensor
    log_z_known: Tensor

    def __init__(
        self,
        memories: Sequence[dict | nn.Module],
        num_negatives: int = 4096,
        form: str = 'nce',
        temperature: float = 0.07,
        exclude_own: bool = False,
        eps: float = 1e-7,
        num_hard: int | None = None,
        mixers: Sequence[dict | nn.Module] = (),
        start_epoch: int = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(mixers, start_epoch, init_cfg)
        self.temperature = check_temperature(temperature)
        self.form = check_choice('form', form, FORMS)
        built: Any = nn.ModuleList(
            MODELS.build({'init_seed': view, **memory}) if isinstance(memory, dict) else memory
            for view, memory in enumerate(memories)
        )
        self.memories = built
        self.length, self.dim = self._check_banks()
        self.num_negatives = num_negatives
        self.num_hard = num_negatives if num_hard is None else num_hard
        self.exclude_own, self.eps = exclude_own, check_number('eps', eps, 1e-7, zero=True)
        self._check_numbers()
        self.check_num_hard(self.num_hard)
        views = (len(built), len(built))
        self.register_buffer('log_z', torch.zeros(views))
        self.register_buffer('log_z_known', torch.zeros(views, dtype=torch.bool))

    def _check_banks(self) -> tuple[int, int]:
        sizes = [(int(bank.length), int(bank.dim)) for bank in self.memories]
        if len(sizes) < 2 or len(set(sizes)) > 1:
            raise ValueError(
                f'memories of (length, dim) {sizes}; expected at least two, all of one size.'
            )
        for (a, first), (b, second) in combinations(enumerate(self.memories), 2):
            if torch.equal(first.features, second.features):
                raise ValueError(
                    f'the banks of the views {a} and {b} start from the same rows, so both views '
                    'of an image have one random target; give each bank an init_seed of its own.'
                )
        return sizes[0]

    def _check_numbers(self) -> None:
        check_integer('num_negatives', self.num_negatives, 4096)
        if not 1 <= self.num_hard <= self.num_negatives:
            raise ValueError(
                f'num_hard is {self.num_hard} but {self.num_negatives} rows are drawn; expected 1 '
                f'<= num_hard <= {self.num_negatives}.'
            )
        if self.exclude_own and self.length < 2:
            raise ValueError('exclude_own=True leaves nothing to draw from a bank of one row.')
        if self.mixers and self.form == 'nce':
            raise ValueError(
                "mixers need form='softmax': in the binary form a negative stands for uniform "
                'noise, which a synthetic one is not.'
            )

    def loss(self, features: Tensor, data_samples: DataSamples | None = None) -> dict[str, Tensor]:
        """Return the losses and statistics of one batch, then write the banks.

        Args:
            features: (B, V, D) raw embeddings, one for each view, with gradient.
            data_samples: ``sample_idx`` (B,); ``gt_label`` (B,) is stored where it is known.

        Returns:
            ``loss_0_1`` for view 0 against the bank of view 1, and so on; statistics.

        Raises:
            ValueError: Another number of views or another width than the banks have, or an image
                without a row.
        """
        if features.shape[1:] != (len(self.memories), self.dim):
            raise ValueError(
                f'embeddings of shape {tuple(features.shape)}; expected (images, '
                f'{len(self.memories)} views, width {self.dim}), as the banks have: set memories '
                'and their dim to what the necks give.'
            )
        with torch.autocast(features.device.type, enabled=False):
            return self._loss(F.normalize(features.float(), dim=2), data_samples or {})

    def _loss(self, features: Tensor, data_samples: DataSamples) -> dict[str, Tensor]:
        ids = self.memories[0].check_indices(data_samples.get('sample_idx'))
        drawn = self.draw(ids)
        draws, own = torch.cat([ids[:, None], drawn], dim=1), drawn == ids[:, None]
        result: dict[str, Tensor] = {}
        cosines = []
        for a, b in permutations(range(len(self.memories)), 2):
            rows = self.memories[b].features[draws]  # a copy: the bank may change
            cosines.append(torch.einsum('bd,bkd->bk', features[:, a], rows))
            losses = self._objective(a, b, features[:, a], rows, cosines[-1], own)
            result[f'loss_{a}_{b}'] = mean_over_ranks(losses)
        with torch.no_grad():
            result.update(self._statistics(torch.stack(cosines)))
        for view, bank in enumerate(self.memories):
            bank.enqueue(features[:, view].detach(), data_samples.get('gt_label'), ids)
        return result

    def draw(self, ids: Tensor) -> Tensor:
        """Return (B, K) data set indices, uniform over all images or over all others.

        Args:
            ids: (B,) indices of the images themselves.
        """
        shape, generator = (len(ids), self.num_negatives), self.generator('noise', ids.device)
        high = self.length - int(self.exclude_own)
        drawn = torch.randint(high, shape, generator=generator, device=ids.device)
        # Skipping over the own index leaves the others uniform.
        return drawn + (drawn >= ids[:, None]) if self.exclude_own else drawn

    def _objective(
        self, a: int, b: int, query: Tensor, rows: Tensor, cosine: Tensor, own: Tensor
    ) -> Tensor:
        if self.form == 'nce':
            logits = cosine / self.temperature
            return binary_nce(logits, self._normaliser(a, b, logits), self.length, self.eps)
        # The own row may be drawn as noise; mixed, it would push from what pulls.
        minable = cosine[:, 1:].detach().masked_fill(own, -torch.inf)
        position, similarity = select_hardest(minable, self.num_hard)
        first = torch.arange(len(rows), device=rows.device)[:, None] * rows.shape[1]
        synthetic = self.synthesise(query, rows.flatten(0, 1), first + 1 + position, similarity)
        negatives = [cosine[:, 1:]] if synthetic is None else [cosine[:, 1:], synthetic]
        return info_nce(cosine[:, 0], negatives, self.temperature)

    @torch.no_grad()
    def _normaliser(self, a: int, b: int, logits: Tensor) -> Tensor:
        """Return log Z of a pair; the first finite batch, of all ranks, fixes it."""
        if bool(self.log_z_known[a, b]):
            return self.log_z[a, b].clone()
        log_z = log_normaliser(gather_rows(logits), self.length)
        if bool(log_z.isfinite()):
            self.log_z[a, b], self.log_z_known[a, b] = log_z, True
        return log_z

    def _statistics(self, cosines: Tensor) -> dict[str, Tensor]:
        """Return the means over pairs of views; ``cosines`` is (pairs, B, 1 + K)."""
        own, drawn = cosines[..., 0], cosines[..., 1:]
        return dict(
            acc_contrast=contrastive_accuracy(own, drawn.amax(-1)),
            sim_positive=own.mean(),
            sim_hardest=drawn.amax(-1).mean(),
            bank_fill=self.memories[0].fill(),
        )
