"""Uniformity: how evenly features cover the sphere (Wang and Isola 2020)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mochi_mm.evaluation.measures.checks import check_features, check_positive
from mochi_mm.models.functional.unit_rows import unit_rows


@torch.no_grad()
def uniformity(features: Tensor, t: float = 2.0, chunk: int = 1024) -> float:
    """Return ``log mean exp(-t ||x - y||_2 ** 2)`` over all unordered pairs of different samples.

    Features are scaled to length one first; those of length zero coincide with one another, and lie
    at a distance of 1 from all others. 0 when all coincide, lower is more uniform; for ``t=2``
    hardly below -4. Memory is bounded by ``chunk * chunk`` cosines. Source: Wang and Isola, ICML
    2020, ``L_uniform``, and their code's default.

    Args:
        features: (M, C) features, any scale.
        t: Factor in the exponent of the Gaussian potential, > 0.
        chunk: Samples compared with as many others at a time.

    Raises:
        ValueError: Fewer than two samples, features that are not finite.
    """
    check_positive('t', t)
    check_features(features)
    rows = unit_rows(features)
    squared = rows.any(dim=1).to(rows)  # (M,) the length of a row, 1 or 0, and its square
    total = 0.0
    for i in range(0, len(rows), chunk):
        for j in range(i, len(rows), chunk):
            # ||x - y||^2 = |x|^2 + |y|^2 - 2 x.y; above 0 the exponent is rounding.
            lengths = squared[i : i + chunk, None] + squared[j : j + chunk]
            exponent = t * (2 * (rows[i : i + chunk] @ rows[j : j + chunk].T) - lengths)
            potential = exponent.clamp_max_(0.0).double().exp_()
            total += float(potential.triu_(1).sum() if i == j else potential.sum())
    pairs = len(rows) * (len(rows) - 1) // 2
    return math.log(total / pairs) if total > 0 else -math.inf
