"""All pairs of images whose features are nearly parallel."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.datasets.duplicates.hash_pairs import MOST_PAIRS
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.utils.progress import progress_bar


@torch.no_grad()
def feature_pairs(
    features: Tensor, cosine: float, chunk: int = 1024, progress: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the pairs (P, 2) int64, first < second, with at least that cosine, and theirs (P,).

    Exact; the time is quadratic in the rows, the memory is not.

    Args:
        features: (M, C), any scale.
        cosine: Least cosine, in (0, 1].
        chunk: Rows compared with as many others at a time.
        progress: Show a bar with the time left, if stderr is a terminal.

    Raises:
        ValueError: A cosine out of range; more than 1,000 pairs for each image.
    """
    if not 0 < cosine <= 1:
        raise ValueError(f'the least cosine is {cosine}; expected more than 0 and at most 1.')
    rows = unit_rows(features)
    found = [torch.zeros(0, 2, dtype=torch.int64)]
    cosines, total = [torch.zeros(0)], 0
    starts = range(0, len(rows), chunk)
    for start in progress_bar(starts, 'features', len(starts), progress):
        for other in range(start, len(rows), chunk):
            block = rows[start : start + chunk] @ rows[other : other + chunk].T
            reached = block >= cosine
            near = (reached.triu(1) if other == start else reached).nonzero()  # (p, 2)
            found.append((near + near.new_tensor([start, other])).cpu())
            cosines.append(block[near[:, 0], near[:, 1]].cpu())
            total += len(near)
        if total > MOST_PAIRS * len(rows):
            raise ValueError(
                f'more than {MOST_PAIRS} pairs for each of the {len(rows)} images have a cosine of '
                f'at least {cosine}: these features hardly tell images apart. Raise the cosine, '
                'for instance to 0.98, or search by hash.'
            )
    return torch.cat(found), torch.cat(cosines)
