"""ReLICv2: tell the own image from a few others, alike from every view."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from mochi_mm.distributed.rows import (
    gather_rows_with_gradient,
    mean_over_ranks,
    rank,
    row_counts,
    world_size,
)
from mochi_mm.models.functional.likelihood_kl import (
    FROZEN,
    drawn_others,
    likelihood_kl,
    log_likelihoods,
)
from mochi_mm.models.heads.key_batch_head import KeyBatchHead
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, HeadStep, Views
from mochi_mm.utils.checks import check_choice, check_integer, check_number

KL_PAIRS = ('swapped', 'one_pair')


@dataclass(frozen=True)
class EveryPair(Views):
    """Views of which a query meets the key of its own view as well."""

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Return all pairs of an online and a target view."""
        return [(i, j) for i in self.online for j in self.target]


@MODELS.register_module()
class InvarianceHead(KeyBatchHead):
    """Likelihood of the own image among a few drawn ones, and its invariance (ReLICv2).

    For each pair of an online view i and a target view j, over the own image and ``num_negatives``
    others drawn for the step, the same for all pairs::

        p_ij = softmax_m( q_i . k_jm / t ),   loss = -ln p_ij(own) + beta KL(p_ij || p')

    averaged over the pairs; with ``same_view`` those of a view with itself are among them. p' is
    ``swapped``: p_ji, of the query j and the keys of i; or ``one_pair``: what the key says,
    ``softmax_m( k_j . q_im / t )``, which is also taken where view i has no key (small crops).
    Source: Tomasev et al., Pushing the limits of self-supervised ResNets, 2022 (arXiv 2201.05119),
    from second hand: contrast and divergence with a stopped gradient over all pairs, i = j too, is
    what pseudo-code of theirs says; which p' and where the gradient stops is recalled, so both are
    settings.

    Args:
        num_negatives: Others that are drawn for each image; None takes all.
        invariance: beta, >= 0.
        kl_pair: ``swapped`` or ``one_pair``.
        frozen: Without gradient in the divergence: ``entropy``, ``target`` (p_ij) or ``none``.
        same_view: Compare a view with its own key as well.
        temperature: t, divides every cosine, > 0.
        **kwargs: As in :class:`BaseContrastiveHead`; nothing that acts on negatives, no mixing.

    Raises:
        ValueError: A setting out of range, mixing; at a batch, more negatives than other images.

    >>> query = key = torch.eye(4)
    >>> losses = InvarianceHead(temperature=0.2, num_negatives=2).loss(query, key)
    >>> round(float(losses['loss_contrast']), 4), float(losses['loss_invariance'])
    (0.0134, 0.0)
    """

    mixed_targets = False
    estimable = False
    not_removable = 'it pushes from a few that it draws, and compares whole distributions'

    def __init__(
        self,
        num_negatives: int | None = 10,
        invariance: float = 1.0,
        kl_pair: str = 'swapped',
        frozen: str = 'target',
        same_view: bool = True,
        temperature: float = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, **kwargs)
        if num_negatives is not None:
            check_integer('num_negatives', num_negatives, 10)
        self.num_negatives, self.same_view = num_negatives, same_view
        self.invariance = check_number('invariance', invariance, 1.0, zero=True)
        self.kl_pair = check_choice('kl_pair', kl_pair, KL_PAIRS)
        self.frozen = check_choice('frozen', frozen, FROZEN)
        self.step_key: StepKey | None = None
        if self.mixing is not None:
            raise ValueError(
                'mixing adds negatives that only one of two compared likelihoods would have; take '
                'it out of InvarianceHead.'
            )

    def set_step(self, step_key: StepKey) -> None:
        """Key the draw of the coming step, in a loop without hooks."""
        super().set_step(step_key)
        self.step_key = step_key

    def compute(self, views: Views) -> HeadStep:
        """Return losses and statistics of raw embeddings; the head stays as it is."""
        step = super().compute(views)
        if step.anchors is None:
            return step
        with torch.autocast(step.anchors.rows.device.type, enabled=False):
            apart = mean_over_ranks(self.divergences(step.anchors, step.blocks[0]))
        losses = dict(step.losses, loss_invariance=self.weight * self.invariance * apart)
        return replace(step, losses=losses)

    def normalize(self, views: Views) -> Views:
        """Return the views as unit rows, which say which of them are pairs."""
        found = super().normalize(views)
        if not self.same_view:
            return found
        return EveryPair(found.online, found.target, found.samples, found.features)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the keys of the batch, of which each image meets its own and the drawn ones."""
        (block,) = super().blocks(anchors, views)
        if self.num_negatives is None:
            return [block]
        drawn = self.draw(anchors.num_images, anchors.rows.device)  # (B, M)
        sets = block.similarity.shape[1] // drawn.shape[1]
        wide = drawn.repeat(len(anchors.pairs), sets)  # (A, T M)
        return [block.drop(~wide & ~block.need('same_image'))]

    def check_batch(self, images: int, views: int = 2) -> None:
        """Refuse a batch of all ranks with fewer other images than are to be drawn.

        Raises:
            ValueError: There are fewer.
        """
        if (self.num_negatives or 0) >= images:
            raise ValueError(
                f'num_negatives is {self.num_negatives} but the batch of all ranks has {images} '
                f'images, so {images - 1} others; set it lower, to None for all of them, or a '
                'larger batch.'
            )

    def draw(self, images: int, device: torch.device) -> Tensor:
        """Return (B, M) bool, which of the images of all ranks each of this rank's meets.

        Raises:
            ValueError: Fewer other images than are to be drawn.
        """
        counts = row_counts(images)
        total, first = sum(counts), sum(counts[: rank()])
        number = self.num_negatives or 0
        self.check_batch(total)
        key = self.step_key
        generator = None if key is None else key.generator('negatives', device, per_rank=False)
        if generator is None and world_size() > 1:
            raise ValueError(
                'InvarianceHead draws the same negatives on all ranks, by the key of the step: '
                'call set_step before, as the hooks of a run do.'
            )
        return drawn_others(total, number, generator, device)[first : first + images]

    def _factor(self, anchors: Anchors) -> float:
        return 1.0  # the mean over the pairs

    def divergences(self, anchors: Anchors, block: Block) -> Tensor:
        """Return (A,) the divergence of each anchor's likelihood from its other one.

        Args:
            anchors: Queries, pair by pair.
            block: The keys of the batch, view by view, those that an image does not meet dropped.
        """
        targets = list(dict.fromkeys(j for _, j in anchors.pairs))
        images, total = anchors.num_images, block.similarity.shape[1] // len(targets)
        met: dict[tuple[int, int], Tensor] = {}  # (B, M) of a pair
        first: dict[tuple[int, int], Tensor] = {}
        for number, (i, j) in enumerate(anchors.pairs):
            rows = slice(number * images, (number + 1) * images)
            place = targets.index(j) * total
            columns = slice(place, place + total)
            met[i, j] = ~block.need('dropped')[rows, columns]
            logits = block.similarity[rows, columns] / self.temperature
            first[i, j] = log_likelihoods(logits, met[i, j])
        keys = cast(Tensor, anchors.keys)[:, 0]  # (A, D)
        counts, found = row_counts(images), []
        for number, (i, j) in enumerate(anchors.pairs):
            other = first.get((j, i)) if self.kl_pair == 'swapped' else None
            if other is None:
                rows = slice(number * images, (number + 1) * images)
                queries = gather_rows_with_gradient(anchors.rows[rows], counts)  # (M, D)
                reverse = self.similarity(keys[rows], queries) / self.temperature
                other = log_likelihoods(reverse, met[i, j])
            found.append(likelihood_kl(first[i, j], other, self.frozen))
        return torch.cat(found)
