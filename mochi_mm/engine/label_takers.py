"""Whether the parts that take pseudo-labels fit the hook that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import nn

from mochi_mm.models.algorithms import BaseAlgorithm
from mochi_mm.models.algorithms.named_heads import named_heads
from mochi_mm.models.memories import ClusterBank


def check_takers(
    model: BaseAlgorithm, takers: Sequence[object], tap: str, start_epoch: int, num_images: int
) -> None:
    """Refuse banks of other images or features than are clustered, and labels that come too late.

    Args:
        model: The algorithm.
        takers: Its parts that take clusters.
        tap: Features that are clustered.
        start_epoch: Epoch of the first clustering.
        num_images: Images that are clustered.

    Raises:
        ValueError: As said.
    """
    for name, head in named_heads(model).items():
        parts: list[Any] = [
            m for m in cast(nn.Module, head).modules() if any(m is taker for taker in takers)
        ]
        begin = getattr(head, 'start_epoch', None)
        if parts and begin is not None and begin < start_epoch:
            raise ValueError(
                f'start_epoch of {name} ({type(head).__name__}) is {begin} and that of the '
                f'PseudoLabelHook is {start_epoch}, so there would be no clusters between; '
                'expected labels no later than the head that learns from them.'
            )
        for part in parts:
            if len(set(part.num_clusters)) < len(part.num_clusters):
                raise ValueError(
                    f'num_clusters of {name} is {list(part.num_clusters)}; expected different '
                    'numbers: the figures of a granularity go by its number.'
                )
        banks = [part for part in parts if isinstance(part, ClusterBank)]
        for bank in banks:
            if bank.length != num_images:
                raise ValueError(
                    f'the bank of {name} has {bank.length} rows and the data set {num_images} '
                    'images; expected a row of each: set length of the ClusterBank.'
                )
        if banks and _of_keys(head.tap) != _of_keys(tap):
            raise ValueError(
                f'the PseudoLabelHook clusters features at tap={tap!r} and the bank of {name} is '
                f'written with those at {head.tap!r}; expected one: set tap of the hook.'
            )


def _of_keys(tap: str) -> str:
    """Return the features of a key at a tap: no predictor follows its neck."""
    return 'neck' if tap == 'predictor' else tap
