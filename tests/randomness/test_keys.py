"""Keys: the same for the same key, different for any other."""

from __future__ import annotations

import pickle

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Dataset

from mochi_mm.randomness import SampleKey, StepKey


def test_sample_streams() -> None:
    def draw(*key: int) -> tuple[float, ...]:
        return tuple(SampleKey(*key).generator().random(4))

    assert draw(3, 0, 1) == draw(3, 0, 1)
    keys = [(i, s, e) for i in range(6) for s in range(3) for e in range(6)]
    firsts = {draw(*key)[0] for key in keys}
    assert len(firsts) == len(keys)
    values = np.array([draw(i, 0, 0) for i in range(4000)])
    assert np.abs(values.mean(0) - 0.5).max() < 0.02
    assert np.abs(np.corrcoef(values.T) - np.eye(4)).max() < 0.06


def test_a_key_is_an_index_and_survives_pickling_and_wrappers() -> None:
    key = SampleKey(7, seed=2, epoch=5)
    assert key == 7 and [*range(10)][key] == 7
    again = pickle.loads(pickle.dumps(key))
    assert (again, again.seed, again.epoch, again.drawn) == (7, 2, 5, 7)
    for moved, index in ((key - 3, 4), (key + 1, 8), (key % 4, 3)):
        assert (moved, moved.seed, moved.epoch, moved.drawn) == (index, 2, 5, 7)
        assert moved.generator().random() == key.generator().random()

    class Echo(Dataset):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, item: int) -> int:
            return item

    inner = ConcatDataset([Echo(), Echo()])[key]
    assert isinstance(inner, SampleKey) and (inner, inner.epoch) == (2, 5)
    twin = ConcatDataset([Echo(), Echo()])[SampleKey(2, seed=2, epoch=5)]
    assert twin == inner and twin.generator().random() != inner.generator().random()


def test_repeats_are_streams_of_their_own() -> None:
    keys = [SampleKey(7, 2, 5, repeat=r) for r in range(40)] + [SampleKey(8, 2, 5)]
    assert len({key.generator().random() for key in keys}) == 41
    assert keys[0].generator().random() == SampleKey(7, 2, 5).generator().random()
    moved = pickle.loads(pickle.dumps(keys[3])) - 4
    assert (moved, moved.repeat) == (3, 3)
    assert moved.generator().random() == keys[3].generator().random()


def test_step_streams() -> None:
    def draw(key: StepKey, stream: str, per_rank: bool = True) -> float:
        return float(torch.rand(1, generator=key.generator(stream, per_rank=per_rank)))

    base = StepKey(1, 2, 0)
    assert draw(base, 'a') == draw(StepKey(1, 2, 0), 'a')
    others = [
        draw(base, 'b'),
        draw(StepKey(1, 3, 0), 'a'),
        draw(StepKey(2, 2, 0), 'a'),
        draw(StepKey(1, 2, 1), 'a'),
        draw(base, 'a', per_rank=False),
    ]
    assert len({draw(base, 'a'), *others}) == 6
    assert draw(base, 'a', per_rank=False) == draw(StepKey(1, 2, 1), 'a', per_rank=False)
