"""Two gloo ranks equal one process on the joined batch: loss, gradient, memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.heads import HardNegativeMixingHead, MemoryHead
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.memories import FeatureQueue
from tests.models.heads.test_memory_heads import FixedPair, FixedQuery
from tests.ranks import run_ranks
from tests.reference import random_units

DIM, LENGTH = 6, 11


def make(kind: str) -> MemoryHead:
    queue = FeatureQueue(LENGTH, DIM)
    if kind == 'moco':
        return ContrastiveHead(queue, mask_own_keys=True)
    return HardNegativeMixingHead(queue, 4, [FixedPair(9), FixedQuery(3)])


def embeddings(total: int, step: int) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    query, key = (random_units(total, DIM, 100 * step + i).float() * 2 for i in range(2))
    samples = dict(gt_label=torch.arange(total) % 3, sample_idx=torch.arange(total) + step)
    return query, key, samples


def run(head: MemoryHead, parts: list[Any]) -> dict[str, Any]:
    losses, grads = [], []
    for query, key, samples in parts:
        query = query.clone().requires_grad_()
        loss = head.loss(query, key, samples)['loss_contrast']
        loss.backward()
        losses.append(loss.detach())
        grads.append(query.grad)
    return dict(losses=losses, grads=grads, memory=dict(head.memory.state_dict()))


def on_a_rank(rank: int, kind: str, batches: list[list[int]]) -> dict[str, Any]:
    parts = []
    for step, splits in enumerate(batches):
        query, key, samples = embeddings(sum(splits), step)
        parts.append(
            (
                query.split(splits)[rank],
                key.split(splits)[rank],
                {name: value.split(splits)[rank] for name, value in samples.items()},
            )
        )
    result = run(make(kind), parts)
    # What data-parallel training reports and applies is the mean over ranks.
    for loss in result['losses']:
        dist.all_reduce(loss)
        loss /= 2
    return result


@pytest.mark.parametrize('kind', ['moco', 'mochi'])
@pytest.mark.parametrize('batches', [[[4, 4], [4, 4], [4, 4]], [[4, 4], [4, 4], [3, 1]]])
def test_two_ranks_equal_one_process(kind: str, batches: list[list[int]]) -> None:
    results = run_ranks(on_a_rank, 2, kind, batches)
    whole = run(make(kind), [embeddings(sum(splits), i) for i, splits in enumerate(batches)])
    for step in range(len(batches)):
        torch.testing.assert_close(results[0]['losses'][step], whole['losses'][step])
        # A rank's gradient is averaged with the other's, which holds zero for these queries.
        joined = torch.cat([r['grads'][step] for r in results]) / 2
        torch.testing.assert_close(joined, whole['grads'][step], rtol=1e-5, atol=1e-7)
    for result in results:
        for name, value in whole['memory'].items():
            torch.testing.assert_close(result['memory'][name], value, rtol=1e-6, atol=1e-7)
    assert int(whole['memory']['pointer']) == sum(map(sum, batches)) % LENGTH
