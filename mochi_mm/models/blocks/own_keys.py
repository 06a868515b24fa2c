"""Own keys of each anchor as candidates."""

from __future__ import annotations

import torch

from mochi_mm.structures import Anchors, Block


def own_keys_block(anchors: Anchors) -> Block:
    """Return the block ``own``: (A, P) cosines of each anchor with its P own keys, which pull.

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
    columns = [(anchors.rows * keys[:, p]).sum(1) for p in range(keys.shape[1])]
    return Block('own', torch.stack(columns, dim=1), rows=keys, pull=1.0)
