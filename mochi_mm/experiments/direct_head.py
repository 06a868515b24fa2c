"""The objective of MoCo-v2 and MoCHi in two ways: as public code computes it, and by our heads."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.hardest import select_hardest
from mochi_mm.models.heads import ContrastiveHead, HardNegativeMixingHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.randomness import StepKey

TEMPERATURE = 0.2
STEP = StepKey(seed=0, iteration=0)
Run = Callable[[], tuple[Tensor, Tensor]]


class DirectHead:
    """The objective as public code computes it."""

    def __init__(self, queue: Tensor, setting: Any) -> None:
        self.queue, self.setting, self.pointer = queue, setting, 0
        self.hardest = lambda cosines, count: cosines.topk(count, dim=1).indices

    def loss(self, query: Tensor, key: Tensor) -> Tensor:
        """Return the loss, then put the keys into the queue."""
        query, key = F.normalize(query, dim=1), F.normalize(key, dim=1)
        bank = self.queue.clone()
        positive = torch.einsum('bd,bd->b', query, key)[:, None]  # (B, 1)
        negative = torch.einsum('bd,kd->bk', query, bank)  # (B, K)
        logits = torch.cat([positive, negative], dim=1)  # (B, 1 + K)
        if self.setting is not None:
            synthetic = self.synthetic(query, bank, negative)
            logits = torch.cat([logits, torch.einsum('bd,bsd->bs', query, synthetic)], dim=1)
        labels = torch.zeros(len(query), dtype=torch.long, device=query.device)
        loss = F.cross_entropy(logits / TEMPERATURE, labels)
        rows = torch.arange(self.pointer, self.pointer + len(key), device=query.device)
        self.queue[rows % len(self.queue)] = key
        self.pointer = (self.pointer + len(key)) % len(self.queue)
        return loss

    @torch.no_grad()
    def synthetic(self, query: Tensor, bank: Tensor, negative: Tensor) -> Tensor:
        """Return the synthetic negatives, (B, S + S', D)."""
        num_hard, pairs, mixes = self.setting
        generator = STEP.generator('mixing', query.device)

        def rand(count: int) -> Tensor:
            return torch.rand(len(query), count, generator=generator, device=query.device)

        def draw(count: int) -> Tensor:
            return (rand(count) * num_hard).long().clamp_max(num_hard - 1)

        hard = bank[self.hardest(negative, num_hard)]  # (B, N, D)
        row = torch.arange(len(query), device=query.device)[:, None]  # (B, 1)
        first, second, weight = draw(pairs), draw(pairs), rand(pairs)[..., None]
        of_pairs = weight * hard[row, first] + (1 - weight) * hard[row, second]  # (B, S, D)
        chosen, weight = draw(mixes), 0.5 * rand(mixes)[..., None]
        of_query = weight * query[:, None] + (1 - weight) * hard[row, chosen]  # (B, S', D)
        return F.normalize(torch.cat([of_pairs, of_query], dim=1), dim=2)


def our_head(length: int, dim: int, setting: tuple[int, int, int] | None) -> ContrastiveHead:
    """Return this project's head for ``setting``, None for MoCo-v2."""
    memory = FeatureQueue(length, dim)
    if setting is None:
        return ContrastiveHead(memory, TEMPERATURE)
    num_hard, pairs, mixes = setting
    mixers = [kind(num) for kind, num in ((PairMixing, pairs), (QueryMixing, mixes)) if num]
    return HardNegativeMixingHead(memory, num_hard, mixers, temperature=TEMPERATURE)


def alternatives(
    args: argparse.Namespace, setting: tuple[int, int, int] | None, same_ties: bool = False
) -> dict[str, Run]:
    """Return both ways to one loss and its gradient for the query.

    ``same_ties``: equal cosines in the same order, without which a plan means different rows.
    """
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, args.batch, args.dim, generator=generator).to(args.device)
    ours = our_head(args.memory, args.dim, setting).to(args.device)
    ours.set_step(STEP)
    direct = DirectHead(ours.memory.features.clone(), setting)
    if same_ties:
        direct.hardest = lambda cosines, count: select_hardest(cosines, count)[0]
    results: Any = dict(direct=direct.loss, ours=lambda q, k: ours.loss(q, k)['loss_contrast'])

    def run(name: str) -> tuple[Tensor, Tensor]:
        leaf = query.clone().requires_grad_()
        loss = results[name](leaf, key)
        loss.backward()
        return loss.detach(), leaf.grad

    return {name: partial(run, name) for name in results}


def check_equal(runs: dict[str, Run], tolerance: float = 1e-5) -> dict[str, float]:
    """Return the relative differences of loss and gradient.

    Raises:
        RuntimeError: More than ``tolerance``.
    """
    (loss, grad), (expected, expected_grad) = runs['ours'](), runs['direct']()
    found = dict(
        loss=float((loss - expected).abs() / expected.abs()),
        gradient=float((grad - expected_grad).abs().max() / expected_grad.abs().max()),
    )
    if not max(found.values()) <= tolerance:
        raise RuntimeError(f'the two ways differ by {found}; expected {tolerance} at most.')
    return found
