"""Pair mixing, fused where that is possible."""

from __future__ import annotations

import functools
import importlib.util
import logging

import torch
from mmengine.logging import print_log
from torch import Tensor

from mochi_mm.models.functional import mixing


@functools.cache
def triton_works(device: torch.device) -> bool:
    """Return whether Triton is there and mixes a pair on ``device``; if not, log why, once.

    It comes with torch's CUDA builds on Linux, but needs a C compiler when it first runs.
    """
    if importlib.util.find_spec('triton') is None:
        return False
    one, none = torch.ones(1, 1, device=device), torch.zeros(1, 1, dtype=torch.int64, device=device)
    try:
        from mochi_mm.models.kernels.triton_pair_mixing import TritonPairMixing

        TritonPairMixing.apply(one, one, none, one, none, none, one)
    except Exception as error:  # noqa: BLE001  of a compiler, a driver, a card
        print_log(
            f'pair mixing goes by the plain equations, which take more time and memory: Triton '
            f'does not work on {device}: {type(error).__name__}: {error}',
            logger='current',
            level=logging.WARNING,
        )
        return False
    return True


def pair_mixing_cosines(
    query: Tensor,
    bank: Tensor,
    index: Tensor,
    similarity: Tensor,
    first: Tensor,
    second: Tensor,
    weight: Tensor,
) -> Tensor:
    """Return what :func:`mochi_mm.models.functional.mixing.pair_mixing_cosines` returns.

    On a CUDA device with Triton, in float32 and outside a compiled graph, by one kernel each way
    that hold no gathered row; elsewhere by that function itself.
    """
    arguments = (query, bank, index, similarity, first, second, weight)
    fits = query.is_cuda and bank.dtype == similarity.dtype == torch.float32
    if not fits or torch.compiler.is_compiling() or not triton_works(query.device):
        return mixing.pair_mixing_cosines(*arguments)
    from mochi_mm.models.kernels.triton_pair_mixing import TritonPairMixing

    return TritonPairMixing.apply(*arguments)
