"""The equation of the family, over blocks of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.models.functional.contrast import contrast, has_positive
from mochi_mm.models.functional.info_nce import info_nce
from mochi_mm.structures import Block


def contrast_blocks(blocks: Sequence[Block], temperature: float, **options: Any) -> Tensor:
    """Return the loss (A,) of each anchor against all blocks, in nats.

    Args:
        blocks: Candidates; at least one block pulls.
        temperature: Divides the similarity of each block that has none of its own.
        **options: ``denominator``, ``form``, ``positive_bias``, ``positive_scale`` of
            :func:`~mochi_mm.models.functional.contrast.contrast`.
    """
    own, rest = blocks[0], blocks[1:]
    if not options and _is_single_key(own) and all(_only_pushes(block) for block in rest):
        # The same in fewer operations.
        return info_nce(own.similarity[:, 0], [block.seen() for block in rest], temperature)
    logits = [logits_of(block, temperature) for block in blocks]
    weights = [weights_of(block) for block in blocks]
    return contrast(logits, weights, [block.push_bias for block in blocks], **options)


def attracted(blocks: Sequence[Block]) -> Tensor:
    """Return (A,) bool: whether an anchor has a positive that is not dropped."""
    return has_positive([b.seen().detach() for b in blocks], [weights_of(b) for b in blocks])


def logits_of(block: Block, temperature: float) -> Tensor:
    """Return (A, M) the similarity over the temperature, -inf where a candidate is dropped."""
    scaled = block.similarity / (block.temperature or temperature)
    return scaled if block.dropped is None else scaled.masked_fill(block.dropped, float('-inf'))


def weights_of(block: Block) -> Tensor | None:
    """Return (A, M) the weight by which each candidate pulls, None where none of the block does."""
    if isinstance(block.pull, (int, float)):
        return torch.full_like(block.similarity, block.pull)
    return block.pull


def _is_single_key(block: Block) -> bool:
    """Return whether the block is one candidate per anchor, which alone pulls."""
    plain = block.dropped is None and block.push_bias is None and block.temperature is None
    single = isinstance(block.pull, float) and block.similarity.shape[1] == 1
    return plain and single


def _only_pushes(block: Block) -> bool:
    return block.pull is None and block.push_bias is None and block.temperature is None
