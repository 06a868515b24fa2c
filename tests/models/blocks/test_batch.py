"""The batch as candidates: order, masks, ranks, a single image."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.blocks import batch_block, image_anchors
from mochi_mm.models.blocks.batch import check_images, own_rows
from mochi_mm.structures import Block, Views
from tests.ranks import run_ranks
from tests.reference import dot, random_units

ROWS = {v: random_units(5, 4, v) for v in range(3)}
LABELS = torch.tensor([0, 1, 0, 2, 1])


def cosines(rows: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    return rows @ candidates.T


def block_of(first: int, last: int, asked: bool = True) -> Block:
    views = Views({v: rows[first:last] for v, rows in ROWS.items()}, {}, dict(y=LABELS[first:last]))
    anchors = image_anchors(views)
    return batch_block(anchors, cosines, anchors.samples['y'] if asked else None)


def check(block: Block, first: int, last: int) -> None:
    """Against every pair of an anchor and a candidate, three views of an image together."""
    candidates = torch.stack(list(ROWS.values()), dim=1).flatten(0, 1)
    assert block.name == 'batch' and block.similarity.shape == (3 * (last - first), 15)
    assert torch.equal(block.rows, candidates)
    for a in range(3 * (last - first)):
        for m in range(15):
            me = 3 * first + a
            expected = dot(candidates[me], candidates[m])
            assert float(block.similarity[a, m]) == pytest.approx(expected, abs=1e-12)
            assert bool(block.itself[a, m]) == bool(block.dropped[a, m]) == (me == m)
            assert bool(block.mixable[a, m]) == (me != m)
            assert bool(block.same_image[a, m]) == (me // 3 == m // 3 and me != m)
    assert block.labels.tolist() == LABELS.repeat_interleave(3).tolist()


def test_equals_the_loop() -> None:
    check(block_of(0, 5), 0, 5)
    assert block_of(0, 5, asked=False).labels is None


def on_a_rank(rank: int) -> Block:
    return block_of(0, 2) if rank == 0 else block_of(2, 5)


def test_candidates_are_those_of_all_ranks() -> None:
    first, second = run_ranks(on_a_rank, 2)
    check(first, 0, 2)
    check(second, 2, 5)


def test_own_rows_without_a_group_are_all() -> None:
    values = torch.arange(6)
    assert own_rows(values, 6, [6]).tolist() == list(range(6))


@pytest.mark.parametrize('count', [0, 1])
def test_a_single_image_is_refused(count: int) -> None:
    with pytest.raises(
        ValueError, match=rf'holds {count} image\(s\); expected at least 2.*batch_s'
    ):
        check_images(count)
    check_images(2)


def test_the_similarity_is_the_heads() -> None:
    def distance(rows: torch.Tensor, candidates: torch.Tensor) -> Any:
        return -torch.cdist(rows, candidates)

    anchors = image_anchors(Views(ROWS))
    block = batch_block(anchors, distance)
    torch.testing.assert_close(block.similarity, -torch.cdist(anchors.rows, anchors.rows))
