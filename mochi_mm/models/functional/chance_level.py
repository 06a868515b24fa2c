"""The loss of a network that tells nothing apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from mochi_mm.structures import Block


def chance_level(blocks: Sequence[Block]) -> Tensor:
    """Return the mean over anchors of the loss at equal similarities, a scalar in nats.

    For one shared denominator and pulls that add up to one, in or outside the logarithm: the
    logarithm of the number of candidates in the denominator, each counted by ``exp(push_bias)``.

    Args:
        blocks: Candidates of at least one anchor.
    """
    total: Tensor | float = 0.0
    for block in blocks:
        total = total + _number(block)
    if not isinstance(total, Tensor):
        total = blocks[0].similarity.new_full((1,), total)
    return total.log().mean()


def _number(block: Block) -> Tensor | float:
    """Return how many candidates push each anchor, (A,), or one number for all of them."""
    if block.push_bias is None:
        if block.dropped is None:
            return float(block.similarity.shape[1])
        return block.similarity.shape[1] - block.dropped.sum(1).to(block.similarity.dtype)
    weight = block.push_bias.exp().expand_as(block.similarity)
    return (weight if block.dropped is None else weight.masked_fill(block.dropped, 0.0)).sum(1)


def chance_of_each(blocks: Sequence[Block], positive_bias: float = 0.0) -> Tensor:
    """Return the mean at equal similarities where each positive competes with negatives alone.

    ``log( exp(positive_bias) + number of candidates that do not pull )``.

    Args:
        blocks: Candidates of at least one anchor.
        positive_bias: Added to the positive in its own denominator.
    """
    total: Tensor | float = 0.0
    for block in blocks:
        total = total + _number(block.but(push_bias=None).drop(block.positive()))
    if not isinstance(total, Tensor):
        total = blocks[0].similarity.new_full((1,), total)
    return (total + math.exp(positive_bias)).log().mean()
