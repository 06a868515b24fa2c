"""Keyed randomness for torchvision's own transforms, which draw from torch's generator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def torch_drawing_from(rng: np.random.Generator) -> Iterator[None]:
    """Seed torch's CPU generator with one number of ``rng``, and put it back on exit.

    So what is drawn inside depends on ``rng`` alone, and what is drawn later does not notice.
    """
    seed = int(rng.integers(2**63))
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would seed the accelerator as well.
        torch.default_generator.manual_seed(seed)
        yield
