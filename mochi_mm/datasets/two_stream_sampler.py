"""A sampler that spreads the labeled images evenly over the epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mochi_mm.datasets.facts import facts_of
from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.randomness import StepKey
from mochi_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class TwoStreamSampler(KeyedSampler):
    """Labeled and unlabeled images in random orders of their own, merged as evenly as possible.

    Any N samples in a row, hence any batch of all ranks together, hold the share of labeled images
    that the data set has, one image more or less; every image comes once in an epoch. The order
    depends on (seed, epoch) alone, as that of :class:`KeyedSampler`, so a run goes on in the middle
    of an epoch.

    Args:
        dataset: A data set some of whose ``labels`` are -1.
        seed: Equal on all ranks. None: agreed on by the ranks, different in each run.
        round_up: As in :class:`KeyedSampler`.
        infinite: Likewise.

    Raises:
        ValueError: All images have a label, or none has.
    """

    def __init__(
        self, dataset: Any, seed: int | None = None, round_up: bool = True, infinite: bool = False
    ) -> None:
        super().__init__(dataset, True, seed, round_up, infinite)
        labeled = facts_of(dataset).labeled.numpy()
        if len(labeled) != self.size:
            raise ValueError(
                f'TwoStreamSampler got {self.size} samples of {len(labeled)} images; expected each '
                'image once.'
            )
        self.streams = np.flatnonzero(labeled), np.flatnonzero(~labeled)
        if not all(map(len, self.streams)):
            raise ValueError(
                f'{len(self.streams[0])} of {self.size} images have a label; TwoStreamSampler '
                'expects some that have one and some that have none: take OpenWorld as the data '
                'set, or KeyedSampler.'
            )

    def order(self, epoch: int) -> torch.Tensor:
        """Return the order of the whole data set in ``epoch``, (len(dataset),) int64."""
        generator = StepKey(self.seed, epoch).generator('order of samples', per_rank=False)
        streams = [torch.from_numpy(stream) for stream in self.streams]
        drawn = [stream[torch.randperm(len(stream), generator=generator)] for stream in streams]
        places = [(torch.arange(len(s), dtype=torch.float64) + 0.5) / len(s) for s in streams]
        return torch.cat(drawn)[torch.cat(places).argsort(stable=True)]
