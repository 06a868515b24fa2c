"""A sampler that says in which (seed, epoch) each index was drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mochi_mm.randomness import SampleKey, StepKey
from mochi_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class KeyedSampler(Sampler[int]):
    """Yield a :class:`SampleKey` for each index, so that the data set knows how to draw.

    The order of a pass depends on (seed, epoch) alone. The ranks take every W-th index of it, so
    for any world size they see the same samples together.

    Args:
        dataset: Anything with a length above 0.
        shuffle: A new random order for each epoch. Without it the order is that of the data set
            and, unless ``infinite``, all keys have seed 0 and epoch 0, so that an evaluation draws
            the same in every epoch.
        seed: Equal on all ranks. None: agreed on by the ranks, different in each run.
        round_up: Give all ranks equally many samples by starting over at the end of the order;
            otherwise each sample is given exactly once and the first ranks may have one more.
        infinite: Never end; pass after pass follows without a gap, and the number of the pass is
            the epoch of its keys (``set_epoch`` has no effect). The ranks share the endless stream,
            so nothing is padded. ``skip`` exists here only.

    Raises:
        ValueError: An empty data set, or ``infinite`` with ``round_up=False``.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
        infinite: bool = False,
    ) -> None:
        super().__init__()
        self.dataset = dataset  # batch samplers that group by aspect ratio ask it
        self.size = len(dataset)
        if self.size == 0:
            raise ValueError('KeyedSampler got an empty data set; it needs at least one sample.')
        if infinite and not round_up:
            raise ValueError(
                'round_up=False has no meaning for infinite=True: an endless stream is never '
                'padded. Leave round_up out.'
            )
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else int(seed)
        self.round_up = round_up
        self.infinite = infinite
        self.epoch = 0
        self.start = 0
        self._left_out = 0
        if infinite:
            # MMEngine's iteration loop calls `skip` on any sampler that has it, with a count of
            # samples from the start of training, which only an endless stream can make sense of.
            self.skip = self._skip

    def order(self, epoch: int) -> torch.Tensor:
        """Return the order of the whole data set in ``epoch``, (len(dataset),) int64."""
        if not self.shuffle:
            return torch.arange(self.size)
        generator = StepKey(self.seed, epoch).generator('order of samples', per_rank=False)
        return torch.randperm(self.size, generator=generator)

    def __iter__(self) -> Iterator[SampleKey]:
        return self._stream(self.start) if self.infinite else self._pass(self.epoch)

    def _pass(self, epoch: int) -> Iterator[SampleKey]:
        seed, key_epoch = (self.seed, epoch) if self.shuffle else (0, 0)
        order = self.order(epoch)
        first = min(self._left_out, len(self))  # the last batch may have been a smaller one
        positions = torch.arange(first, len(self)) * self.world_size + self.rank
        self._left_out = 0
        for index in order[positions % self.size].tolist():
            yield SampleKey(index, seed, key_epoch)

    def _stream(self, start: int) -> Iterator[SampleKey]:
        position = self.rank + start * self.world_size
        while True:
            epoch, offset = divmod(position, self.size)
            indices = self.order(epoch)[offset :: self.world_size].tolist()
            for index in indices:
                yield SampleKey(index, self.seed, epoch)
            position += len(indices) * self.world_size

    def __len__(self) -> int:
        """Return the number of samples of this rank in one pass."""
        if self.round_up:
            return -(-self.size // self.world_size)
        return len(range(self.rank, self.size, self.world_size))

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next pass."""
        self.epoch = int(epoch)

    def leave_out(self, num_samples: int) -> None:
        """Begin the next pass, and only that one, behind its first samples of this rank."""
        self._left_out = int(num_samples)

    def _skip(self, num_samples: int) -> None:
        """Start the stream behind the first ``num_samples`` samples of this rank."""
        if num_samples < 0:
            raise ValueError(f'cannot skip {num_samples} samples; expected 0 or more')
        self.start = int(num_samples)
