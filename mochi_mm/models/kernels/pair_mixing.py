"""Pair mixing, fused where that is possible."""

from __future__ import annotations

import functools
import importlib.util

import torch
from torch import Tensor

from mochi_mm.models.functional import mixing


@functools.cache
def triton_is_there() -> bool:
    """Whether Triton can be imported; it comes with torch's CUDA builds on Linux."""
    return importlib.util.find_spec('triton') is not None


def pair_mixing_logits(
    query: Tensor,
    bank: Tensor,
    index: Tensor,
    similarity: Tensor,
    first: Tensor,
    second: Tensor,
    weight: Tensor,
) -> Tensor:
    """Return what :func:`mochi_mm.models.functional.mixing.pair_mixing_logits` returns.

    On a CUDA device with Triton, in float32 and outside a compiled graph, by one kernel each way
    that hold no gathered row; elsewhere by that function itself.
    """
    arguments = (query, bank, index, similarity, first, second, weight)
    fits = query.is_cuda and bank.dtype == similarity.dtype == torch.float32
    if not fits or torch.compiler.is_compiling() or not triton_is_there():
        return mixing.pair_mixing_logits(*arguments)
    from mochi_mm.models.kernels.triton_pair_mixing import TritonPairMixing

    return TritonPairMixing.apply(*arguments)
