"""How right the false negatives that were found are, by labels that no objective sees."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.structures import Block
from mochi_mm.structures.masks import either


def found_statistics(block: Block) -> dict[str, Tensor]:
    """Return shares in [0, 1] of the candidates that a head took for false negatives.

    ``share_found`` of all candidates; with the classes of the data set, ``precision_found``, the
    share of what was found that is of the anchor's class, and ``recall_found``, the share of its
    class that was found. Embeddings of the anchor's own image count in neither. Both are 0 where
    there is nothing to divide by.

    Args:
        block: Candidates with ``false_negative``, and ``classes`` where they are known.
    """
    found = block.need('false_negative')  # (A, M)
    statistics = dict(share_found=found.float().mean())
    if block.classes is None:
        return statistics
    anchors, candidates = block.classes
    known = (anchors[:, None] >= 0) & (candidates[None] >= 0)  # (A, M)
    own = either(block.itself, block.same_image)
    known = known if own is None else known & ~own
    same = known & (anchors[:, None] == candidates[None])  # (A, M)
    right = (found & same).sum()
    statistics['precision_found'] = right / (found & known).sum().clamp_min(1)
    statistics['recall_found'] = right / same.sum().clamp_min(1)
    return statistics
