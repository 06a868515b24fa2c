"""Deep Bregman divergence: NT-Xent on a similarity that is learned."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from mochi_mm.models.functional.bregman import (
    bregman_divergence,
    count_winners,
    gaussian_similarity,
)
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.models.heads.nt_xent_head import NTXentHead
from mochi_mm.models.layers import SubnetBank
from mochi_mm.registry import MODELS
from mochi_mm.structures import Block, HeadStep, Views
from mochi_mm.utils.checks import check_integer, check_number

#: Names of the frame, and those of the divergence.
NAMES = dict(
    loss_contrast='loss_divergence',
    sim_positive='sim_divergence',
    chance_level='chance_divergence',
)
#: All that share a winner are equally near, so an anchor whose other view is the nearest of all is
#: rare; every anchor counts.
HIDDEN = ('acc_contrast', 'share_counted')


@MODELS.register_module()
class BregmanHead(NTXentHead):
    """Compare views by a learned Bregman divergence, and by NT-Xent beside it.

    K scalar sub-networks g_k look at the unit embedding z. With ``w(i)`` the one that is largest at
    z_i, ``D_ij = g_w(i)(z_i) - g_w(j)(z_i)`` and ``S_ij = exp(-D_ij / (2 sigma^2))`` takes the
    place of the cosine in NT-Xent; to that ``loss_divergence`` the ordinary NT-Xent of the
    embeddings adds ``loss_contrast``. Views that share a winner are alike, whatever their outputs.
    Where one sub-network wins everywhere, all similarities are 1 and the first loss is at chance
    without a gradient: ``active_subnets`` and ``share_same_winner``, of the two views of an image,
    are logged, and an epoch of one winner is a warning.
    Source: Rezaei et al., Deep Bregman Divergence for Contrastive Learning of Visual
    Representations (arXiv 2109.07455); code csfarzin/BeCLR.

    Args:
        in_channels: D, width of the embeddings.
        num_subnets: K, at least 2.
        hidden_channels: Width of the hidden layer of each sub-network.
        dropout: Drop-out in the sub-networks, in [0, 1).
        sigma: Width of the similarity, > 0.
        temperature: Divides every similarity, of both losses, > 0.
        contrast_weight: Factor on NT-Xent; 0 trains by the divergence alone.
        normalize_input: Give the sub-networks unit embeddings; False, raw ones, as the authors do
            on ImageNet-1K.
        memory: None; nothing else will do.
        mixing: None; mixers work on cosines.
        **kwargs: As in :class:`BaseContrastiveHead`; ``weight`` is that of the divergence, and
            ``negatives``, ``removal`` and ``threshold`` act on it alone.

    Raises:
        ValueError: A setting out of range, a memory or a mixing.

    >>> head = BregmanHead(in_channels=16, num_subnets=5, hidden_channels=8)
    >>> results = head.loss(torch.randn(4, 2, 16))  # 4 images, 2 views
    >>> (results['loss_divergence'] + results['loss_contrast']).backward()
    >>> 1 <= int(results['active_subnets']) <= 5
    True
    """

    least_similarity = 0.0

    #: The most sub-networks that won in a step of the epoch.
    most_active: Tensor

    def __init__(
        self,
        in_channels: int = 128,
        num_subnets: int = 100,
        hidden_channels: int = 512,
        dropout: float = 0.2,
        sigma: float = 0.9,
        temperature: float = 0.5,
        contrast_weight: float = 1.0,
        normalize_input: bool = True,
        memory: None = None,
        mixing: None = None,
        **kwargs: Any,
    ) -> None:
        _check_parts(memory, mixing)
        super().__init__(temperature, **kwargs)
        self.sigma = check_number('sigma', sigma, 0.9)
        self.in_channels = check_integer('in_channels', in_channels, 128)
        self.normalize_input = normalize_input
        self.subnets = SubnetBank(in_channels, num_subnets, hidden_channels, dropout)
        check_number('contrast_weight', contrast_weight, 1.0, zero=True)
        self.contrast = NTXentHead(temperature, weight=contrast_weight) if contrast_weight else None
        self.register_buffer('most_active', torch.zeros((), dtype=torch.int64), persistent=False)
        self._steps = 0

    def outputs(self, embeddings: Tensor) -> Tensor:
        """Return the outputs (N, K) of all sub-networks for raw embeddings (N, D)."""
        rows = unit_rows(embeddings) if self.normalize_input else embeddings.float()
        return self.subnets(rows)

    def normalize(self, views: Views) -> Views:
        """Return the views with the outputs of the sub-networks in the place of unit rows."""
        online = {view: self.outputs(rows) for view, rows in views.online.items()}
        return replace(views, online=online)

    def similarity(self, rows: Tensor, candidates: Tensor) -> Tensor:
        """Return (A, M) similarities of outputs (A, K) and (M, K), in (0, 1]."""
        return gaussian_similarity(bregman_divergence(rows, candidates), self.sigma)

    def compute(self, views: Views) -> HeadStep:
        """Return both losses; see :meth:`BaseContrastiveHead.compute`."""
        step = super().compute(views)
        active = count_winners(step.block('batch').need('rows'))  # over the views of all ranks
        losses = {NAMES[name]: value for name, value in step.losses.items()}
        found = {
            NAMES.get(name, name): value
            for name, value in step.statistics.items()
            if name not in HIDDEN
        }
        found['active_subnets'] = active.float()
        with torch.no_grad():
            found['share_same_winner'] = share_of_ties(step.block('batch'))
        if self.contrast is not None:
            contrast = self.contrast.compute(views)
            losses, found = {**losses, **contrast.losses}, {**contrast.statistics, **found}
        writes = (*step.writes, partial(self._see, active))
        return replace(step, losses=losses, statistics=found, writes=writes)

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Warn where a single sub-network won in every step of the epoch before."""
        super().set_epoch(epoch, max_epochs)
        if self._steps and int(self.most_active) < 2:
            print_log(
                f'BregmanHead: in all {self._steps} steps before epoch {epoch} one of '
                f'{self.subnets.num_subnets} sub-networks won for every view, so the divergence is '
                '0 everywhere and has no gradient; raise num_subnets, lower the learning rate, or '
                'keep contrast_weight above 0, which alone can spread the embeddings again.',
                'current',
                logging.WARNING,
            )
        self.most_active.zero_()
        self._steps = 0

    def _see(self, active: Tensor) -> None:
        """Note how many sub-networks won; nobody reads it before the next epoch."""
        self.most_active.copy_(torch.maximum(self.most_active, active))
        self._steps += 1


def share_of_ties(block: Block) -> Tensor:
    """Return the share of the other views of all anchors with nothing between them, a scalar."""
    same = block.need('same_image')  # (A, M)
    return ((block.similarity == 1) & same).sum() / same.sum()


def _check_parts(memory: Any, mixing: Any) -> None:
    if memory is not None:
        raise ValueError(
            f'memory is {memory} but BregmanHead takes none: a row of a memory is an old embedding '
            'of the averaged encoder, and which sub-network wins for it changes with every step. '
            'Take memory out and use InBatchContrast with a larger batch, or ContrastiveHead with '
            'the memory.'
        )
    if mixing is not None:
        raise ValueError(
            f'mixing is {mixing} but BregmanHead takes none: mixers work on unit rows and their '
            'cosines, which a learned divergence does not have. Take it out, or use NTXentHead.'
        )
