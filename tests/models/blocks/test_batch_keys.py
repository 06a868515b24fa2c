"""The keys of the batch as candidates: which of them a query meets, on one rank and on two."""

from __future__ import annotations

import pytest

from mochi_mm.models.blocks import batch_keys_block, pair_anchors
from mochi_mm.structures import Block, Views
from tests.ranks import run_ranks
from tests.reference import dot, random_units

ONLINE = {v: random_units(5, 4, v) for v in range(2)}
TARGET = {v: random_units(5, 4, 10 + v) for v in range(3)}
PAIRS = [(0, 1), (0, 2), (1, 0), (1, 2)]
SETS = [1, 2, 0]  # target views, as they first come in the pairs


def block_of(first: int, last: int) -> Block:
    online, target = (
        {v: rows[first:last] for v, rows in part.items()} for part in (ONLINE, TARGET)
    )
    views = Views(online, target)
    return batch_keys_block(pair_anchors(views), views, lambda rows, keys: rows @ keys.T)


def check(block: Block, first: int, last: int) -> None:
    size = last - first
    assert block.name == 'batch_keys' and block.similarity.shape == (4 * size, 15)
    for number, (i, j) in enumerate(PAIRS):
        for b in range(size):
            for m in range(15):
                view, image, a = SETS[m // 5], m % 5, number * size + b
                expected = dot(ONLINE[i][first + b], TARGET[view][image])
                assert float(block.similarity[a, m]) == pytest.approx(expected, abs=1e-12)
                assert bool(block.dropped[a, m]) == (view != j)
                assert bool(block.mixable[a, m]) == (view == j)
                assert bool(block.same_image[a, m]) == (view == j and image == first + b)


def test_equals_the_loop() -> None:
    check(block_of(0, 5), 0, 5)


def on_a_rank(rank: int) -> Block:
    return block_of(0, 2) if rank == 0 else block_of(2, 5)


def test_candidates_are_the_keys_of_all_ranks() -> None:
    first, second = run_ranks(on_a_rank, 2)
    check(first, 0, 2)
    check(second, 2, 5)


def test_a_single_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r'holds 1 image\(s\); expected at least 2'):
        block_of(0, 1)
