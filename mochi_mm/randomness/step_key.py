"""Key of a training step: seed, iteration and, where ranks must differ, the rank."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class StepKey:
    """Key that the random draws of one training step depend on."""

    seed: int
    iteration: int
    rank: int = 0

    def number(self, stream: str, per_rank: bool) -> int:
        """Return a 63-bit seed for ``stream``; equal on all ranks unless ``per_rank``."""
        words = f'{self.seed}/{self.iteration}/{stream}/{self.rank if per_rank else "all"}'
        return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], 'little') >> 1

    def generator(self, stream: str, device: Any = 'cpu', per_rank: bool = True) -> torch.Generator:
        """Return a fresh generator on ``device`` for ``stream``, a name no other use shares."""
        return torch.Generator(device=device).manual_seed(self.number(stream, per_rank))
