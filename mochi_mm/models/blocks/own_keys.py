"""Own keys of each anchor as candidates."""

from __future__ import annotations

import torch

from mochi_mm.structures import Anchors, Block, MixedInputs


def own_keys_block(anchors: Anchors) -> Block:
    """Return the block ``own``: (A, P) cosines of each anchor with its P own keys, which pull.

    Those of a mixed query (see :class:`MixedInputs`), its image's and the partner's, pull by their
    shares; where an image was mixed with itself, the second is dropped.

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
    block = Block('own', torch.stack(columns, dim=1), rows=keys, pull=1.0)
    mixed = MixedInputs.of(anchors.samples)
    if mixed is None:
        return block
    alone = mixed.alone(anchors.image)  # (A,)
    dropped = torch.stack([torch.zeros_like(alone), alone], dim=1)  # (A, 2)
    return block.but(pull=mixed.weights(anchors.image), dropped=dropped)
