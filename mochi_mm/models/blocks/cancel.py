"""Cancellation of false negatives: what is done with those that were found."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.structures import Block

STRATEGIES = ('attract', 'eliminate', 'none')


def cancel(block: Block, found: Tensor, strategy: str) -> Block:
    """Return the block with its false negatives attracting or out of the denominator.

    Either way they are not mixed. Source: Huynh et al., Boosting Contrastive Self-Supervised
    Learning with False Negative Cancellation, WACV 2022.

    Args:
        block: Candidates, with what attracts for other reasons marked.
        found: (A, M) bool, the false negatives.
        strategy: ``attract``: they pull with weight 1; ``eliminate``: they are dropped; ``none``:
            nothing is done.
    """
    if strategy == 'none':
        return block
    if strategy == 'eliminate':
        return block.drop(found)
    positive = block.positive()
    return block.attract(found if positive is None else positive | found)
