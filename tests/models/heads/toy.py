"""What the tests of the heads share: small batches, fixed mixers, loops over anchors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.models.finders import FalseNegativeFinder
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.structures import HardNegatives, Plan
from tests.reference import contrast_loop, dot, random_units, unit

DIM, LENGTH, T = 6, 11, 0.2
Embeddings = dict[int, Tensor]
Samples = dict[str, Tensor]
#: Weights of the memory rows that pull, rows that are dropped, rows that are not mixed.
Roles = tuple[dict[int, float], set[int], set[int]]


class FixedPair(PairMixing):
    """Pair mixing whose draws are a function of the position alone."""

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        batch, n = hard.index.shape
        s = torch.arange(self.num).repeat(batch, 1)
        return Plan(s % n, (s + 1) / (self.num + 2), (2 * s + 1) % n)


class FixedQuery(QueryMixing):
    """Query mixing whose draws are a function of the position alone."""

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        batch, n = hard.index.shape
        s = torch.arange(self.num).repeat(batch, 1)
        return Plan(s % n, (s + 1) / (2 * self.num + 3))


def mixing(num_hard: int = 2, **kwargs: Any) -> dict[str, Any]:
    """The config of a mixing whose draws are fixed."""
    return dict(num_hard=num_hard, mixers=[FixedPair(5), FixedQuery(3)], **kwargs)


def synthetic(query: Tensor, hard: Sequence[Tensor], mixers: Any) -> list[float]:
    """Cosines of a unit query with what fixed mixers make of its hardest rows, by definition."""
    cosines, n = [], len(hard)
    for mixer in mixers:
        for s in range(mixer.num):
            if isinstance(mixer, PairMixing):
                w, other = (s + 1) / (mixer.num + 2), hard[(2 * s + 1) % n]
                cosines.append(dot(query, unit(w * hard[s % n] + (1 - w) * other)))
            else:
                w = (s + 1) / (2 * mixer.num + 3)
                cosines.append(dot(query, unit(w * query + (1 - w) * hard[s % n])))
    return cosines


def memory() -> FeatureQueue:
    """Eleven rows, of which eight hold keys of three classes."""
    queue = FeatureQueue(LENGTH, DIM)
    queue.enqueue(random_units(8, DIM, 40).float(), torch.arange(8) % 3, torch.arange(8))
    return queue


def finder(support: str = 'full', **kwargs: Any) -> FalseNegativeFinder:
    settings: dict[str, Any] = dict(num_support=1, support=support, top_k=2, threshold=0.1)
    return FalseNegativeFinder(**{**settings, **kwargs})


def labeled(size: int, seed: int = 0) -> Samples:
    numbers = torch.arange(size)
    return dict(
        gt_label=(numbers + seed) % 3,
        bias_label=numbers // 2 % 2,
        sample_idx=numbers + seed,
        # What a view editor adds for a mixed view.
        partner_label=(2 * numbers + seed) % 3,
        own_share=torch.full((size,), 0.6),
    )


def pairs(size: int, seed: int = 0) -> tuple[Embeddings, Embeddings, Samples]:
    """Two queries and three keys of each image, of different lengths."""
    lengths = torch.linspace(0.5, 3, size)[:, None]
    queries = {i: random_units(size, DIM, seed + i).float() * lengths for i in range(2)}
    keys = {i: 0.5 * random_units(size, DIM, seed + 5 + i).float() for i in range(3)}
    return queries, keys, labeled(size, seed)


def inputs(head: Any, size: int, seed: int = 0, views: int = 2) -> tuple[Any, Any, Samples]:
    """Views of the trained and of the averaged encoder and samples, as the head takes them."""
    if head.takes == 'pairs':
        return pairs(size, seed)
    count = max(views, head.min_views)
    rows = {v: 2 * random_units(size, DIM, seed + v).float() for v in range(count)}
    return rows, {}, labeled(size, seed)


def value(head: Any, features: Tensor, labels: Tensor | None = None) -> float:
    """The loss of features (B, V, D)."""
    samples = None if labels is None else dict(gt_label=labels)
    return float(head.loss(features, samples)['loss_contrast'])


def views_loop(
    features: Tensor,
    labels: Tensor,
    anchor: Callable[..., float],
    supervised: bool,
    temperature: float,
    part: Any = None,
) -> float:
    """The mean over the anchors of a batch (B, V, D) that have a positive.

    Args:
        features: Raw embeddings.
        labels: (B,).
        anchor: Of logits of positives and of negatives, the loss.
        supervised: Whether the label says what is a positive, or the image.
        temperature: Of the logits.
        part: A mixing; what it makes of the hardest negatives joins the negatives.
    """
    images, views, _ = features.shape
    rows = {(b, v): unit(features[b, v].double()) for b in range(images) for v in range(views)}
    losses = []
    for b, v in rows:
        cosines = {k: dot(rows[b, v], rows[k]) for k in rows if k != (b, v)}
        same = {k: (labels[k[0]] == labels[b]) if supervised else k[0] == b for k in cosines}
        negatives = {k: c for k, c in cosines.items() if not same[k]}
        made = []
        if part is not None:
            hard = sorted(negatives, key=lambda k: -negatives[k])
            hard = hard[part.skip : part.skip + part.num_hard]
            made = synthetic(rows[b, v], [rows[k] for k in hard], part.mixers)
        pull = [c / temperature for k, c in cosines.items() if same[k]]
        if pull:
            losses.append(anchor(pull, [c / temperature for c in [*negatives.values(), *made]]))
    return sum(losses) / len(losses)


def pairs_loop(
    head: Any,
    queries: Embeddings,
    keys: Embeddings,
    samples: Samples,
    roles: Callable[[int, Sequence[Tensor]], Roles] = lambda image, own: ({}, set(), set()),
    own_keys: Callable[[int], list[list[int]]] | None = None,
    **options: Any,
) -> float:
    """The mean over the anchors of a batch with a memory, by the definition, in float64.

    Args:
        head: Its memory is read before it is written.
        queries: Raw embeddings by view.
        keys: Raw embeddings by view.
        samples: Of the images.
        roles: Of an image and the own keys of an anchor.
        own_keys: Of the view of a query, the views whose keys are own keys of each anchor; None
            for one anchor a pair.
        **options: Of :func:`tests.reference.contrast_loop`; ``denominator='negatives'`` as well.
    """
    bank, indices = head.memory.features.double(), head.memory.indices.tolist()
    labels, losses = head.memory.labels.tolist(), []
    own_keys = own_keys or (lambda view: [[j] for j in keys if j != view])
    for b in range(len(samples['gt_label'])):
        same = {j for j in range(len(bank)) if labels[j] == int(samples['gt_label'][b])}
        mine = {j for j in range(len(bank)) if indices[j] == int(samples['sample_idx'][b])}
        for view, query in queries.items():
            q = unit(query[b].detach().double())
            for own in own_keys(view):
                k = [unit(keys[j][b].double()) for j in own]
                pull, dropped, spared = roles(b, k)
                dropped = dropped | (mine if head.mask_own_keys else set())
                spared = spared | dropped | (same if head.oracle_mix else set())
                dropped = dropped | (same if head.oracle_loss else set())
                cosines = {j: dot(q, bank[j]) for j in range(len(bank))}
                made = _made(head, q, bank, {j: cosines[j] for j in cosines if j not in spared})
                seen = [j for j in cosines if j not in dropped]
                values = [dot(q, key) for key in k] + [cosines[j] for j in seen] + made
                weights = [1.0] * len(k) + [pull.get(j, 0.0) for j in seen] + [0.0] * len(made)
                losses.append(_anchor([v / head.temperature for v in values], weights, **options))
    return sum(losses) / len(losses)


def _made(head: Any, query: Tensor, bank: Tensor, minable: dict[int, float]) -> list[float]:
    part = head.mixing
    if not part.active:
        return []
    hard = sorted(minable, key=lambda j: -minable[j])[part.skip : part.skip + part.num_hard]
    return synthetic(query, [bank[j] for j in hard], part.mixers)


def _anchor(
    logits: list[float], weights: list[float], denominator: str = 'shared', **options: Any
) -> float:
    bias = [0.0] * len(logits)
    if denominator == 'negatives':
        denominator, bias = 'shared', [-math.inf if w else 0.0 for w in weights]
    return contrast_loop(logits, weights, bias, denominator, **options)
