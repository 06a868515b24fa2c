"""Chance level: the loss of a network whose similarities are all equal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from mochi_mm.structures import Block


def chance_level(blocks: Sequence[Block]) -> Tensor:
    """Return the loss (A,) of each anchor at equal similarities, in nats.

    For one shared denominator and pulls that add up to one, in or outside the logarithm: the
    logarithm of the number of candidates in the denominator, each counted by ``exp(push_bias)``; 0
    where there is none.

    Args:
        blocks: Candidates of at least one anchor.
    """
    total = _total(blocks)
    return total.log().masked_fill(total == 0, 0.0)


def chance_of_each(blocks: Sequence[Block], positive_bias: float = 0.0) -> Tensor:
    """Return the loss (A,) at equal similarities where a positive competes with negatives alone.

    ``log( exp(positive_bias) + number of candidates that do not pull )``, each of them counted by
    ``exp(push_bias)``.

    Args:
        blocks: Candidates of at least one anchor.
        positive_bias: Added to the positive in its own denominator.
    """
    negatives = [block.drop(block.positive()) for block in blocks]
    return (_total(negatives) + math.exp(positive_bias)).log()


def mean_chance(levels: Tensor, counted: Tensor | None, count_all: bool) -> Tensor:
    """Return the mean over the anchors that the loss counts, a scalar.

    Args:
        levels: (A,) chance level of each anchor, in nats.
        counted: (A,) bool, anchors with a positive; None for all of them.
        count_all: Count the other anchors as well, with 0.
    """
    if counted is None:
        return levels.mean()
    number = len(levels) if count_all else counted.sum().clamp_min(1)
    return levels.masked_fill(~counted, 0.0).sum() / number


def _total(blocks: Sequence[Block]) -> Tensor:
    """Return (A,) the total weight of the candidates that push each anchor."""
    total: Tensor | float = 0.0
    for block in blocks:
        total = total + _number(block)
    similarity = blocks[0].similarity
    return total if isinstance(total, Tensor) else similarity.new_full((len(similarity),), total)


def _number(block: Block) -> Tensor | float:
    """Return the weight of a block's candidates that push each anchor, (A,), or one for all."""
    if block.push_bias is None:
        if block.dropped is None:
            return float(block.similarity.shape[1])
        return block.similarity.shape[1] - block.dropped.sum(1).to(block.similarity.dtype)
    weight = block.push_bias.exp().expand_as(block.similarity)
    return (weight if block.dropped is None else weight.masked_fill(block.dropped, 0.0)).sum(1)
