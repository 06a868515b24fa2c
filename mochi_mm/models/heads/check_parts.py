"""Check of the parts of a contrastive head: none that has nothing to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_mm.models.heads.check_similarity import check_similarity

if TYPE_CHECKING:
    from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead


def check_parts(head: BaseContrastiveHead) -> None:
    """Refuse an estimator, threshold, removal or table that a head has no place for.

    Raises:
        ValueError: There is one.
    """
    name = type(head).__name__
    if not head.takes_cosines:
        check_similarity(name, head.mixing, head.negatives is not None, head.least_similarity)
    for part, value in (('negatives', head.negatives), ('threshold', head.threshold)):
        if value is not None and not head.estimable:
            raise ValueError(
                f'{part} is {value} but the objective of {name} has no sum over negatives that it '
                'could act on; take it out.'
            )
    if head.threshold is not None and not head.anchors_are_images:
        raise ValueError(
            f'threshold is {head.threshold}, which keeps a number for each image, but {name} has '
            'anchors that are no images (prototypes or backgrounds); take it out.'
        )
    reads = head.needs_labels or head.oracle_loss or head.oracle_mix
    if head.table is not None and not reads and not getattr(head.removal, 'needs_labels', False):
        raise ValueError(
            f'table is {head.table} but nothing in {name} asks for labels, so that it would change '
            'no loss; take it out, or set what reads labels, such as oracle_loss.'
        )
    if head.removal is None:
        return
    if head.not_removable:
        raise ValueError(
            f'removal is {head.removal} but {name} has no negatives among which it could find '
            f'false ones: {head.not_removable}; take it out.'
        )
    if head.removal.rule == 'threshold' and not head.takes_cosines:
        raise ValueError(
            f"removal has the rule 'threshold', which is a cosine, but {name} compares by a "
            "similarity of its own; choose 'top_k' or 'quantile'."
        )
    if head.removal.rule == 'oracle' and head.needs_labels:
        raise ValueError(
            f"removal has the rule 'oracle' but the anchor's class is what attracts in {name}, so "
            'nothing would ever be removed; take it out, or choose another rule.'
        )
