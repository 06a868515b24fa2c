"""Own keys of each anchor as candidates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.structures import Anchors, Block, MixedInputs


def cosines_of_pairs(rows: Tensor, candidates: Tensor) -> Tensor:
    """Return the cosine (A,) of each unit row (A, D) and the candidate beside it, (A, D)."""
    return (rows * candidates).sum(1)


def own_keys_block(
    anchors: Anchors, similarity: Callable[[Tensor, Tensor], Tensor] = cosines_of_pairs
) -> Block:
    """Return the block ``own``: the similarity (A, P) of each anchor to its P own keys, which pull.

    Those of a mixed query (see :class:`MixedInputs`), its image's and the partner's, pull by their
    shares; where an image was mixed with itself, the second is dropped.

    Args:
        anchors: A unit rows with own keys.
        similarity: Function of (A, D) and (A, D) rows that returns (A,), pair by pair.

    Raises:
        ValueError: The anchors have no keys.
    """
    keys = anchors.keys
    if keys is None:
        raise ValueError(
            'the anchors have no own keys; expected embeddings of an averaged encoder beside those '
            'of the trained one.'
        )
    # (A, D) * (A, D) summed, P times: no (A, P, D) product is held.
    columns = [similarity(anchors.rows, keys[:, p]) for p in range(keys.shape[1])]
    block = Block('own', torch.stack(columns, dim=1), rows=keys, pull=1.0)
    mixed = MixedInputs.of(anchors.samples)
    if mixed is None:
        return block
    alone = mixed.alone(anchors.image)  # (A,)
    dropped = torch.stack([torch.zeros_like(alone), alone], dim=1)  # (A, 2)
    return block.but(pull=mixed.weights(anchors.image), dropped=dropped)
