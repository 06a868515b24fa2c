"""The memory of a run as its checkpoints hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.weight_sets import weights_of

_PREFIX = 'head.memory.'


@dataclass(frozen=True)
class MemoryState:
    """The main head's memory in one checkpoint.

    Attributes:
        source: Name of the file.
        step: Iterations that had passed.
        features: (K, D) rows.
        indices: (K,) data set index of each row, -1 if unknown.
    """

    source: str
    step: int
    features: Tensor
    indices: Tensor

    def share_equal(self, rows: Tensor) -> float:
        """Return the share of rows that are those of ``rows`` (K, D), to rounding."""
        return float(torch.isclose(self.features.float(), rows, atol=1e-6).all(1).double().mean())

    def share_initial(self, init_seed: int = 0) -> float:
        """Return the share of rows that are still those a memory starts from."""
        generator = torch.Generator().manual_seed(init_seed)
        rows = torch.randn(*self.features.shape, generator=generator)
        return self.share_equal(F.normalize(rows, dim=1))


def read_memories(checkpoints: Sequence[Path]) -> list[MemoryState]:
    """Return the memory in each of some checkpoints that hold one, the newest first.

    Args:
        checkpoints: Files of one run, the newest first.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A file that is no checkpoint.
    """
    return [state for path in checkpoints if (state := _read(path)) is not None]


def _read(path: Path) -> MemoryState | None:
    content = read_checkpoint(path)
    tensors = weights_of(content, path).tensors
    features = tensors.get(f'{_PREFIX}features')
    if features is None or features.ndim != 2 or not len(features):
        return None
    indices = tensors.get(f'{_PREFIX}indices')
    if indices is None or indices.shape != features.shape[:1]:
        indices = torch.full(features.shape[:1], -1)
    return MemoryState(path.name, _step(content), features, indices)


def _step(content: Mapping[str, Any]) -> int:
    meta = content.get('meta')
    step = meta.get('iter') if isinstance(meta, Mapping) else None
    return step if type(step) is int and step >= 0 else 0
