"""What the methods of a block do to what is pulled, pushed and mixed."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.structures import Block

SIMILARITY = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
MASK = torch.tensor([[True, False, False], [False, True, False]])
OTHER = torch.tensor([[False, True, False], [False, True, False]])


def plain(**kwargs: object) -> Block:
    return Block('memory', SIMILARITY).but(**kwargs)


def listed(mask: Tensor | bool | None) -> object:
    return mask.tolist() if isinstance(mask, Tensor) else mask


def test_but_leaves_the_block_alone() -> None:
    block = plain()
    changed = block.but(name='other', temperature=0.5)
    assert (block.name, block.temperature) == ('memory', None)
    assert (changed.name, changed.temperature) == ('other', 0.5)
    assert changed.similarity is block.similarity


def test_drop_takes_a_candidate_out_of_everything() -> None:
    block = plain(mixable=True).drop(MASK)
    assert listed(block.dropped) == listed(MASK) and listed(block.mixable) == listed(~MASK)
    twice = block.drop(OTHER)
    assert listed(twice.dropped) == listed(MASK | OTHER)
    assert listed(twice.mixable) == listed(~(MASK | OTHER))
    assert block.drop(None).dropped is block.dropped
    assert plain().drop(MASK).mixable is False  # what cannot be mixed stays so


def test_spare_keeps_a_candidate_from_the_mixing_alone() -> None:
    block = plain(mixable=True).spare(MASK)
    assert block.dropped is None and listed(block.mixable) == listed(~MASK)
    assert listed(block.spare(OTHER).mixable) == listed(~(MASK | OTHER))
    assert plain().spare(MASK).mixable is False
    assert plain(mixable=True).spare(None).mixable is True


def test_attract_gives_weight_one_and_is_never_mixed() -> None:
    block = plain(mixable=True).attract(MASK)
    assert isinstance(block.pull, Tensor) and block.pull.dtype == SIMILARITY.dtype
    assert block.pull.tolist() == MASK.float().tolist()
    assert listed(block.mixable) == listed(~MASK) and block.dropped is None


def test_seen_is_the_similarity_without_what_is_dropped() -> None:
    leaf = SIMILARITY.clone().requires_grad_()
    block = plain(similarity=leaf)
    assert block.seen() is leaf
    seen = block.drop(MASK).seen()
    assert (seen[MASK] == -math.inf).all() and torch.equal(seen[~MASK], leaf[~MASK])
    seen[~MASK].sum().backward()
    assert leaf.grad is not None and torch.equal(leaf.grad, (~MASK).float())


def test_need_is_of_a_field_that_is_there() -> None:
    labels = torch.tensor([0, 1, 1])
    assert plain(labels=labels).need('labels') is labels
    for block in (plain(), plain(labels=3)):
        with pytest.raises(
            ValueError, match="the block 'memory' has no labels, which this objecti"
        ):
            block.need('labels')


def test_positive_is_where_the_pull_is_above_zero() -> None:
    assert plain().positive() is None
    for pull, expected in ((1.0, True), (0.5, True), (0.0, False)):
        assert listed(plain(pull=pull).positive()) == [[expected] * 3] * 2
    shares = torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.7, 0.0]])
    assert listed(plain(pull=shares).positive()) == listed(MASK)


def test_negatives_are_embeddings_of_other_images_that_push() -> None:
    """In a loop over what can hide a candidate."""
    assert plain().negative().all()
    held = torch.tensor([True, True, False])
    block = plain(dropped=MASK, same_image=OTHER, held=held).attract(torch.eye(2, 3).bool())
    for a in range(2):
        for m in range(3):
            hidden = MASK[a, m] or OTHER[a, m] or not held[m] or a == m
            assert bool(block.negative()[a, m]) == (not hidden)
