"""Check that a batch holds the labels and indices that a head needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_mm.structures import DataSamples
from mochi_mm.structures.known import require_known

if TYPE_CHECKING:
    from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead


def check_needed(head: BaseContrastiveHead, samples: DataSamples) -> None:
    """Refuse a batch without a label or an index that a setting of the head asks for.

    Args:
        head: A contrastive head.
        samples: Tensors (B,) by name; values on an accelerator are not read.

    Raises:
        ValueError: One is missing or -1.
    """
    if head.needs_labels or head.oracle_loss or head.oracle_mix:
        head.known(samples, type(head).__name__ if head.needs_labels else 'a class oracle')
    if head.removal is not None and head.removal.needs_labels:
        head.known(samples, 'removal')
    if head.mask_own_keys or head.threshold is not None:
        reason = 'mask_own_keys' if head.mask_own_keys else 'NegativeThreshold'
        require_known(samples, 'sample_idx', reason)
