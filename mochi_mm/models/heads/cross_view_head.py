"""The CMC objective: each view of an image against the bank of every other view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations, permutations
from typing import cast

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.distributed.rows import gather_rows, mean_over_ranks
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.functional.nce import binary_nce, log_normalizer
from mochi_mm.models.functional.statistics import contrastive_accuracy
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.build_part import build_optional, build_part
from mochi_mm.models.memories import InstanceBank
from mochi_mm.models.mixers.hard_negative_mixing import HardNegativeMixing
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import Block, DataSamples, HeadStep, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.known import check_lengths, check_optional
from mochi_mm.utils.checks import (
    check_choice,
    check_integer,
    check_list,
    check_number,
    check_temperature,
)

FORMS = ('nce', 'softmax')


@MODELS.register_module()
class CrossViewHead(BaseModule):
    """Compare V embeddings of each image with V instance banks, over all ordered pairs of views.

    Of every other view's bank an embedding meets the own row and ``num_negatives`` rows drawn
    uniformly, the same images for all pairs. ``nce`` sums binary decisions with a normalizer Z that
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
        eps: Added in the denominators of ``nce``, as the authors' code does; None is 1e-7.
        mixing: A :class:`HardNegativeMixing` of the drawn rows, the own never; ``softmax`` only.
        label_key: Name of the labels among the data samples, which the banks store.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Fewer than two banks, banks that differ in size or start from the same rows, an
            impossible setting, mixers with ``nce``.

    >>> banks = [dict(type='InstanceBank', length=8, dim=16) for _ in range(2)]
    >>> head = CrossViewHead(banks, num_negatives=5, form='softmax')
    >>> features = torch.randn(4, 2, 16)  # 4 images, 2 views
    >>> losses = head.loss(features, dict(sample_idx=torch.tensor([3, 0, 7, 5])))
    >>> [name for name in losses if 'loss' in name]
    ['loss_0_1', 'loss_1_0']
    >>> head.memories[0].indices.tolist()  # rows 1, 2, 4 and 6 are those of other images
    [0, -1, -1, 3, -1, 5, -1, 7]
    """

    #: What the head takes: one embedding for each part of an image.
    takes = 'parts'
    tap = 'neck'

    log_z: Tensor
    log_z_known: Tensor

    def __init__(
        self,
        memories: Sequence[dict | nn.Module],
        num_negatives: int = 4096,
        form: str = 'nce',
        temperature: float = 0.07,
        exclude_own: bool = False,
        eps: float | None = None,
        mixing: dict | nn.Module | None = None,
        label_key: str = 'gt_label',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.temperature, self.label_key = check_temperature(temperature), label_key
        self.form = check_choice('form', form, FORMS)
        check_list('memories', memories)
        banks = [
            build_part(dict({'init_seed': view}, **m) if isinstance(m, dict) else m, InstanceBank)
            for view, m in enumerate(memories)
        ]
        self.memories = cast(Sequence[InstanceBank], nn.ModuleList(banks))
        self.length, self.dim = self._check_banks()
        self.num_negatives = check_integer('num_negatives', num_negatives, 4096)
        if eps is not None and form != 'nce':
            raise ValueError(
                f'eps is {eps!r} and form is {form!r}, which has no such denominator; leave it '
                "out, or set form='nce'."
            )
        self.eps = check_number('eps', 1e-7 if eps is None else eps, 1e-7, zero=True)
        self.exclude_own = exclude_own
        self.mixing = build_optional(mixing, HardNegativeMixing)
        self._check_settings()
        self.step_key: StepKey | None = None
        views = (len(self.memories), len(self.memories))
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

    def _check_settings(self) -> None:
        if self.mixing is not None:
            self.mixing.fit(self.num_negatives)
        if self.exclude_own and self.length < 2:
            raise ValueError('exclude_own=True leaves nothing to draw from a bank of one row.')
        if self.mixing is not None and self.form == 'nce':
            raise ValueError(
                "mixing needs form='softmax': in the binary form a negative stands for uniform "
                'noise, which a synthetic one is not.'
            )

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step, in a loop without hooks."""
        self.step_key = step_key
        if self.mixing is not None:
            self.mixing.set_step(step_key)

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch, in a loop without hooks."""
        if self.mixing is not None:
            self.mixing.set_epoch(epoch, max_epochs)

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch with an image that has no row; called on the host's copy.

        Raises:
            ValueError: There is one.
        """
        check_optional(samples, self.label_key)
        self.memories[0].check_samples(samples)

    def loss(self, features: Tensor, data_samples: DataSamples | None = None) -> dict[str, Tensor]:
        """Return the losses and statistics of one batch, then write the banks.

        Args:
            features: (B, V, D) raw embeddings, one for each view, with gradient.
            data_samples: ``sample_idx`` (B,); labels (B,) under ``label_key`` are stored.

        Returns:
            ``loss_0_1`` for view 0 against the bank of view 1, and so on; statistics.

        Raises:
            ValueError: Another number of views or another width than the banks have, or an image
                without a row.
        """
        return self.loss_views(dict(enumerate(features.unbind(1))), None, data_samples)

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
    ) -> dict[str, Tensor]:
        """Return losses and statistics of one batch, then write the banks.

        Args:
            online: (B, D) raw embeddings by the number of their view, with gradient.
            target: Not used.
            data_samples: As in :meth:`loss`.
        """
        step = self.compute(Views(online, target or {}, data_samples or {}))
        step.commit()
        return step.results()

    def compute(self, views: Views) -> HeadStep:
        """Return losses, statistics and pending writes; the head stays as it is.

        Args:
            views: Raw embeddings of the views of each image.

        Raises:
            ValueError: Another number of views or another width than the banks have, or an image
                without a row.
        """
        shapes = [tuple(rows.shape) for rows in views.online.values()]
        if shapes != [(views.num_images, self.dim)] * len(self.memories):
            raise ValueError(
                f'embeddings of shapes {shapes}; expected (images, width {self.dim}) for each of '
                f'the {len(self.memories)} views, as the banks have: set memories and their dim to '
                'what the necks give.'
            )
        check_lengths(views.samples, views.num_images)
        check_optional(views.samples, self.label_key)
        ids = self.memories[0].check_indices(views.samples.get('sample_idx'))
        drawn = self.draw(ids)  # (B, K)
        losses: dict[str, Tensor] = {}
        cosines: list[Tensor] = []
        writes: list[Write] = []
        with torch.autocast(drawn.device.type, enabled=False):
            rows = [unit_rows(embeddings) for embeddings in views.online.values()]
            for a, b in permutations(range(len(rows)), 2):
                own, noise = self.blocks(rows[a], self.memories[b], ids, drawn)
                cosines.append(torch.cat([own.similarity, noise.similarity], dim=1))
                if self.form == 'nce':
                    per_image, fix = self._nce(a, b, cosines[-1])
                    writes.append(fix)
                else:
                    per_image = self._softmax(rows[a], own, noise)
                losses[f'loss_{a}_{b}'] = mean_over_ranks(per_image)
            with torch.no_grad():
                statistics = self._statistics(torch.stack(cosines))
        labels = views.samples.get(self.label_key)
        for bank, part in zip(self.memories, rows, strict=True):
            writes.append(partial(bank.enqueue, part.detach(), labels, ids))
        return HeadStep(losses, statistics, tuple(writes))

    def draw(self, ids: Tensor) -> Tensor:
        """Return (B, K) data set indices, uniform over all images or over all others.

        Args:
            ids: (B,) indices of the images themselves.
        """
        key = self.step_key
        generator = None if key is None else key.generator('noise', ids.device)
        shape, high = (len(ids), self.num_negatives), self.length - int(self.exclude_own)
        drawn = torch.randint(high, shape, generator=generator, device=ids.device)
        # Skipping over the own index leaves the others uniform.
        return drawn + (drawn >= ids[:, None]) if self.exclude_own else drawn

    def blocks(
        self, rows: Tensor, bank: InstanceBank, ids: Tensor, drawn: Tensor
    ) -> tuple[Block, Block]:
        """Return the own row of another view's bank, which attracts, and the drawn ones.

        Args:
            rows: (B, D) unit rows.
            bank: The bank of another view.
            ids: (B,) data set indices of the images.
            drawn: (B, K) data set indices.
        """
        draws = torch.cat([ids[:, None], drawn], dim=1)  # (B, 1 + K), the own row first
        candidates = bank.features[draws]  # (B, 1 + K, D), a copy: the bank may change
        cosine = torch.einsum('bd,bkd->bk', rows, candidates)  # (B, 1 + K)
        # The own row may be drawn as noise; mixed, it would push from what attracts.
        noise = Block('drawn', cosine[:, 1:], rows=candidates[:, 1:], mixable=drawn != ids[:, None])
        return Block('own', cosine[:, :1], pull=1.0), noise

    def _softmax(self, rows: Tensor, own: Block, noise: Block) -> Tensor:
        synthetic = [] if self.mixing is None else self.mixing(rows, [noise])[1]
        return contrast_blocks([own, noise, *synthetic], self.temperature)

    def _nce(self, a: int, b: int, cosine: Tensor) -> tuple[Tensor, Write]:
        """Return the losses (B,), and the write that fixes log Z by the first finite batch."""
        logits = cosine / self.temperature
        with torch.no_grad():
            fresh = log_normalizer(gather_rows(logits), self.length)
            known = self.log_z_known[a, b].clone()
            log_z = torch.where(known, self.log_z[a, b], fresh)

        def fix() -> None:
            usable = known | fresh.isfinite()
            self.log_z[a, b] = torch.where(usable, log_z, self.log_z[a, b])
            self.log_z_known[a, b] = usable

        return binary_nce(logits, log_z, self.length, self.eps), fix

    def _statistics(self, cosines: Tensor) -> dict[str, Tensor]:
        """Return the means over pairs of views; ``cosines`` is (pairs, B, 1 + K)."""
        own, drawn = cosines[..., 0], cosines[..., 1:]
        return dict(
            acc_contrast=contrastive_accuracy(own, drawn.amax(-1)),
            sim_positive=own.mean(),
            sim_hardest=drawn.amax(-1).mean(),
            bank_fill=self.memories[0].fill(),
        )
