"""A sampler that says in which (seed, epoch) each index was drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mochi_mm.randomness import SampleKey, StepKey
from mochi_mm.registry import DATA_SAMPLERS
from mochi_mm.utils.checks import check_integer

_BLOCK = 4096  # indices that are Python's numbers at once


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
        repeats: Samples that follow each other from one decoding of an image, each drawn by itself.
            A pass has as many samples as before (rounded up to whole images) of a ``repeats``-th
            of the images: so many passes see each image as often as without. The images of a batch
            are that many times fewer, and each is in it ``repeats`` times.

    Raises:
        ValueError: An empty data set, ``infinite`` with ``round_up=False``, or ``repeats`` below 1
            or without ``shuffle``.
    """

    def __init__(
        self,
        dataset: Sized,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
        infinite: bool = False,
        repeats: int = 1,
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
        if check_integer('KeyedSampler.repeats', repeats, 2) > 1 and not shuffle:
            raise ValueError(
                f'repeats={repeats} of KeyedSampler is for training; without shuffle each image '
                'comes once. Leave one of the two out.'
            )
        self.rank, self.world_size = get_dist_info()
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else int(seed)
        self.round_up = round_up
        self.infinite = infinite
        self.repeats = repeats
        self.images = -(-self.size // repeats)
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
        """Yield the samples of one pass: of this rank's share of its ``images`` images.

        All passes lie in one endless row of images, order after order: without repeats pass
        ``epoch`` is the order of that number.
        """
        first = min(self._left_out, len(self))  # the last batch may have been a smaller one
        self._left_out = 0
        # (n,) the images of this rank among those of the pass, which starts over at its end.
        places = torch.arange(len(self) // self.repeats) * self.world_size + self.rank
        places = epoch * self.images + places % self.images
        numbers, offsets = places // self.size, places % self.size
        indices = torch.empty_like(places)
        for number in numbers.unique().tolist():
            here = numbers == number
            indices[here] = self.order(number)[offsets[here]]
        for start in range(first // self.repeats, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            listed = zip(indices[block].tolist(), numbers[block].tolist(), strict=True)
            for image, (index, number) in enumerate(listed, start):
                seed, key_epoch = (self.seed, number) if self.shuffle else (0, 0)
                for repeat in range(max(0, first - image * self.repeats), self.repeats):
                    yield SampleKey(index, seed, key_epoch, repeat=repeat)

    def _stream(self, start: int) -> Iterator[SampleKey]:
        image, repeat = divmod(start, self.repeats)
        position = self.rank + image * self.world_size
        while True:
            epoch, offset = divmod(position, self.size)
            indices = self.order(epoch)[offset :: self.world_size].tolist()
            for index in indices:
                while repeat < self.repeats:
                    yield SampleKey(index, self.seed, epoch, repeat=repeat)
                    repeat += 1
                repeat = 0
            position += len(indices) * self.world_size

    def __len__(self) -> int:
        """Return the number of samples of this rank in one pass."""
        if self.round_up:
            return -(-self.images // self.world_size) * self.repeats
        return len(range(self.rank, self.images, self.world_size)) * self.repeats

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
