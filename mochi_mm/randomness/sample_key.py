"""Key of a sample: its random draws depend on (seed, epoch, index) alone."""

from __future__ import annotations

import numpy as np


class SampleKey(int):
    """A dataset index that also says in which (seed, epoch) it was drawn.

    It is an ``int``, so any dataset and any wrapper can index with it. Wrappers that compute their
    inner index (``-`` for concatenation, ``%`` for repetition) keep the key and with it ``drawn``,
    the index that the sampler gave, which is what the random draws depend on. A wrapper that looks
    the inner index up in a list loses the key.

    ``repeat`` counts samples that are made of one decoding of an image, from 0; each draws from a
    stream of its own.
    """

    seed: int
    epoch: int
    drawn: int
    repeat: int

    def __new__(
        cls, index: int, seed: int = 0, epoch: int = 0, drawn: int | None = None, repeat: int = 0
    ) -> SampleKey:
        """Return ``index`` with its key; ``drawn`` defaults to the index itself."""
        key = super().__new__(cls, index)
        key.seed, key.epoch, key.repeat = int(seed), int(epoch), int(repeat)
        key.drawn = int(index) if drawn is None else int(drawn)
        return key

    def __getnewargs__(self) -> tuple[int, int, int, int, int]:  # type: ignore[override]
        return int(self), self.seed, self.epoch, self.drawn, self.repeat

    def _moved(self, index: int) -> SampleKey:
        return SampleKey(index, self.seed, self.epoch, self.drawn, self.repeat)

    def __sub__(self, other: int) -> SampleKey:
        return self._moved(int(self) - int(other))

    def __add__(self, other: int) -> SampleKey:
        return self._moved(int(self) + int(other))

    def __mod__(self, other: int) -> SampleKey:
        return self._moved(int(self) % int(other))

    def generator(self) -> np.random.Generator:
        """Return the generator of this sample: a Philox stream keyed by (seed, epoch, drawn).

        Repeats have the same key and other counters, 2**192 draws apart.
        """
        word = (self.epoch << 40) ^ self.drawn
        key = np.array([self.seed % 2**64, word % 2**64], dtype=np.uint64)
        counter = np.array([0, 0, 0, self.repeat], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(counter=counter, key=key))
