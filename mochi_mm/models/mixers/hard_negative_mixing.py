"""The part of a head that mixes hard negatives (Kalantidis et al. 2020, MoCHi)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import Block, HardNegatives, Mixed, Mixture
from mochi_mm.structures.masks import without
from mochi_mm.utils.checks import check_integer, check_list, check_start


@MODELS.register_module()
class HardNegativeMixing(BaseModule):
    """Choose the hardest candidates of each anchor and let every mixer synthesize from them.

    The candidates are those of all mixable blocks. Without mixers, and before ``start_epoch``, the
    hardest are chosen for the statistics alone.

    Args:
        num_hard: N, hardest candidates of each anchor; None takes 1024, or all of a shorter memory.
        skip: Ranks left out before the N: the very hardest are the likeliest to be of the anchor's
            own class.
        start_epoch: First epoch, counted from 0, that synthesizes.
        mixers: Mixers, as configs or modules; none of them synthesizes nothing.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, something that is no mixer, or a mixer that cannot work
            on N candidates.

    >>> from mochi_mm.models.heads import NTXentHead
    >>> from mochi_mm.structures import Views
    >>> mixers = [dict(type='PairMixing', num=4)]
    >>> head = NTXentHead(mixing=HardNegativeMixing(num_hard=3, mixers=mixers))
    >>> step = head.compute(Views(dict(enumerate(torch.randn(2, 8, 16)))))  # 2 views of 8 images
    >>> step.mixed.hard.index.shape, step.block('synthetic').similarity.shape
    (torch.Size([16, 3]), torch.Size([16, 4]))
    """

    def __init__(
        self,
        num_hard: int | None = None,
        skip: int = 0,
        start_epoch: int = 0,
        mixers: Sequence[dict | nn.Module] = (),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_integer('start_epoch', start_epoch, 10, least=0)
        check_integer('skip', skip, 16, least=0)
        if num_hard is not None:
            check_integer('num_hard', num_hard, 1024)
        self.mixers: Sequence[BaseMixer] = _built(mixers)
        self.skip, self.start_epoch = skip, start_epoch
        self._num_hard = num_hard
        self._fitted = False
        self.epoch = 0
        self.step_key: StepKey | None = None
        if num_hard is not None:
            self._check_mixers()

    @property
    def num_hard(self) -> int:
        """Return N, the number of hardest candidates of each anchor that are mixed."""
        return 1024 if self._num_hard is None else self._num_hard

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num_hard={self.num_hard}, skip={self.skip}, start_epoch={self.start_epoch}'

    def fit(self, length: int) -> None:
        """Set the number of candidates that there will be; a head calls it when it is built.

        Raises:
            ValueError: Fewer than ``skip + num_hard``.
        """
        if self._num_hard is None:
            self._num_hard = max(1, min(1024, length - self.skip))
        if self.skip + self.num_hard > length:
            skipped = f' after {self.skip} that are skipped' if self.skip else ''
            raise ValueError(
                f'num_hard is {self.num_hard}{skipped} but the memory holds {length} keys; '
                f'expected 1 <= num_hard <= {length - self.skip}. Lower num_hard or lengthen the '
                'memory.'
            )
        self._fitted = True
        self._check_mixers()

    def check_batch(self, images: int, views: int) -> None:
        """Refuse a batch of all ranks with fewer candidates than are mixed, without a memory.

        Raises:
            ValueError: There are fewer.
        """
        if self.mixers and not self._fitted:
            self.check_candidates(images * views)

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self.step_key = step_key

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run, so mixing would never happen.
        """
        if len(self.mixers):
            nothing, fix = 'nothing would ever be mixed', 'lower start_epoch or remove the mixers'
            check_start('', self.start_epoch, max_epochs, nothing, fix)
        self.epoch = epoch

    @property
    def active(self) -> bool:
        """Return whether negatives are synthesized in the current epoch."""
        return len(self.mixers) > 0 and self.epoch >= self.start_epoch

    def forward(self, query: Tensor, blocks: Sequence[Block]) -> tuple[Mixed, list[Block]]:
        """Return the hard negatives with their mixtures, and the block of the synthetic ones.

        Args:
            query: (A, D) unit rows.
            blocks: All candidates; those of mixable blocks are mixed.

        Returns:
            The list is empty where nothing is synthesized.
        """
        hard = self.hardest(blocks)
        if not self.active:
            return Mixed(hard), []
        generator = self.generator('mixing', query.device)
        mixtures = []
        # An anchor without a single usable candidate has nothing to mix.
        empty = ~hard.usable().any(1, keepdim=True)  # (A, 1)
        for name, mixer in self.named_mixers():
            plan = mixer.plan(hard, generator)
            cosines = mixer.cosines(query, hard, plan).masked_fill(empty, float('-inf'))
            mixtures.append(Mixture(name, plan, cosines))
        # (A, S), S synthetic negatives of all mixers
        cosines = torch.cat([mixture.cosines for mixture in mixtures], dim=1)
        block = Block('synthetic', cosines, dropped=empty.expand_as(cosines))
        return Mixed(hard, tuple(mixtures)), [block]

    def hardest(self, blocks: Sequence[Block]) -> HardNegatives:
        """Return the N hardest mixable candidates of each anchor, after the skipped ones.

        Raises:
            ValueError: No block can be mixed, or there are fewer than ``skip + num_hard``.
        """
        usable = [block for block in blocks if block.mixable is not False]
        if not usable:
            names = ', '.join(block.name for block in blocks)
            raise ValueError(f'none of the blocks {names} can be mixed; take mixing out.')
        parts = [_minable(block) for block in usable]
        minable = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)  # (A, M)
        self.check_candidates(minable.shape[1])
        # (A, skip + N) each
        column, similarity = select_hardest(minable, self.skip + self.num_hard)
        # (A, N) each
        column, similarity = column[:, self.skip :], similarity[:, self.skip :]
        bank, index = _rows(usable, column)
        allowed = torch.isfinite(similarity)  # (A, N)
        return HardNegatives(bank, index, similarity.masked_fill(~allowed, 0.0), allowed.sum(1))

    def check_candidates(self, count: int) -> None:
        """Refuse fewer candidates than are mixed.

        Raises:
            ValueError: Fewer than ``skip + num_hard``.
        """
        if count < self.skip + self.num_hard:
            raise ValueError(
                f'num_hard is {self.num_hard} and skip is {self.skip} but there are {count} '
                'candidates; lower num_hard or raise the batch size.'
            )

    def named_mixers(self) -> list[tuple[str, BaseMixer]]:
        """Return the mixers by type, numbered from the second of a type on."""
        named: list[tuple[str, BaseMixer]] = []
        for mixer in self.mixers:
            kind = type(mixer).__name__
            before = sum(type(other).__name__ == kind for _, other in named)
            named.append((f'{kind}_{before + 1}' if before else kind, mixer))
        return named

    @torch.compiler.disable  # the key changes every step, and a compiler would specialize on it
    def generator(self, stream: str, device: torch.device) -> torch.Generator | None:
        """Return this rank's generator of the step for ``stream``, None if no step was named."""
        return None if self.step_key is None else self.step_key.generator(stream, device)

    def _check_mixers(self) -> None:
        for mixer in self.mixers:
            mixer.check_num_hard(self.num_hard)


def _built(mixers: Sequence[dict | nn.Module]) -> Sequence[BaseMixer]:
    """Return the mixers as modules.

    Raises:
        ValueError: No list, or something in it that is no mixer.
    """
    check_list('mixers', mixers)
    built = nn.ModuleList(MODELS.build(m) if isinstance(m, dict) else m for m in mixers)
    for mixer in built:
        if not isinstance(mixer, BaseMixer):
            raise ValueError(
                f'{type(mixer).__name__} is no mixer; expected PairMixing, QueryMixing or another '
                'subclass of BaseMixer.'
            )
    return cast(Sequence[BaseMixer], built)


def _minable(block: Block) -> Tensor:
    """Return (A, M) the similarity, -inf where the block must not be mixed."""
    similarity = block.similarity.detach()
    return without(similarity, ~block.mixable) if isinstance(block.mixable, Tensor) else similarity


def _rows(blocks: Sequence[Block], column: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of all blocks and where the chosen columns (A, N) lie among them."""
    banks = [block.rows.detach() for block in blocks if block.rows is not None]
    if len(banks) != len(blocks):
        raise ValueError('a block that can be mixed has no rows; give it rows or mixable=False.')
    if len(banks) == 1 and banks[0].ndim == 2:
        return banks[0], column
    if len(banks) == 1:  # (A, M, D), each anchor with candidates of its own
        own = banks[0]
        # (A, 1) the first row of each anchor in the flattened (A M, D)
        first = torch.arange(len(own), device=own.device)[:, None] * own.shape[1]
        return own.flatten(0, 1), first + column
    if any(bank.ndim != 2 for bank in banks):
        raise ValueError('blocks with rows of their own for each anchor are mixed alone.')
    return torch.cat(banks), column
