"""Keyed randomness for mmdet's pipelines, which draw from the global generators."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from mochi_mm.randomness import SampleKey
from mochi_mm.randomness.random_state import preserved_random_state


class KeyedDraws:
    """Mixed into an mmdet data set: what happens to a sample depends on its key alone.

    With :class:`mochi_mm.datasets.KeyedSampler` the global NumPy and Python generators are seeded
    from (seed, epoch, index) while the pipeline runs, and left as they were found. So augmentation
    is the same for any number of workers, and no two epochs repeat it. A plain index changes
    nothing.
    """

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on sample ``idx``."""
        if not isinstance(idx, SampleKey):
            return super().prepare_data(idx)  # type: ignore[misc]
        with preserved_random_state():
            seed = int(idx.generator().integers(2**32))
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            return super().prepare_data(idx)  # type: ignore[misc]
