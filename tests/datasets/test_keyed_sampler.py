"""KeyedSampler: what each rank gets, in which order, under which keys."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mochi_mm.datasets import KeyedSampler
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATA_SAMPLERS


def on_rank(
    monkeypatch: pytest.MonkeyPatch, rank: int, world_size: int, size: int, **arguments
) -> KeyedSampler:
    module = 'mochi_mm.datasets.keyed_sampler.get_dist_info'
    monkeypatch.setattr(module, lambda: (rank, world_size))
    return KeyedSampler(range(size), **{'seed': 5, **arguments})


def keys(sampler: KeyedSampler, count: int | None = None) -> list[tuple[int, int, int]]:
    return [(int(key), key.seed, key.epoch) for key in islice(sampler, count)]


@pytest.mark.parametrize('world_size', [1, 3])
@pytest.mark.parametrize('shuffle', [True, False])
@pytest.mark.parametrize('size', [1, 2, 3, 4, 10])
def test_ranks_share_one_order(monkeypatch, world_size, shuffle, size) -> None:
    whole = [int(k) for k in on_rank(monkeypatch, 0, 1, size, shuffle=shuffle)]
    assert sorted(whole) == list(range(size))
    padded = -(-size // world_size) * world_size
    wrapped = [whole[i % size] for i in range(padded)]
    for rank in range(world_size):
        up = on_rank(monkeypatch, rank, world_size, size, shuffle=shuffle)
        assert [int(k) for k in up] == wrapped[rank::world_size]
        assert len(up) == padded // world_size
        exact = on_rank(monkeypatch, rank, world_size, size, shuffle=shuffle, round_up=False)
        assert [int(k) for k in exact] == whole[rank::world_size]
        assert len(exact) == len(whole[rank::world_size])


def test_order_depends_on_seed_and_epoch_alone() -> None:
    sampler = KeyedSampler(range(50), seed=1)
    orders = {}
    for epoch in (0, 1, 2, 0):
        sampler.set_epoch(epoch)
        order = [int(k) for k in sampler]
        assert orders.setdefault(epoch, order) == order
        torch.rand(3)  # the global generator has no say
    assert len({tuple(order) for order in orders.values()}) == 3
    assert [int(k) for k in KeyedSampler(range(50), seed=1)] == orders[0]
    assert [int(k) for k in KeyedSampler(range(50), seed=2)] != orders[0]


def test_orders_are_uniform() -> None:
    sampler, first = KeyedSampler(range(4), seed=0), np.zeros(4)
    for epoch in range(1000):
        first[sampler.order(epoch)[0]] += 1
    assert np.abs(first - 250).max() < 50  # deviation 14


def test_keys_carry_seed_and_epoch() -> None:
    sampler = KeyedSampler(range(6), seed=9)
    sampler.set_epoch(4)
    assert {(type(k), k.seed, k.epoch) for k in sampler} == {(SampleKey, 9, 4)}


def test_evaluation_keys_never_change() -> None:
    sampler = KeyedSampler(range(3), shuffle=False, seed=9)
    sampler.set_epoch(4)
    assert keys(sampler) == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]


def test_set_epoch_does_not_touch_a_pass_under_way() -> None:
    sampler = KeyedSampler(range(20), seed=1)
    expected = keys(sampler)
    running = iter(sampler)
    sampler.set_epoch(1)
    assert [(int(k), k.seed, k.epoch) for k in running] == expected


@pytest.mark.parametrize('world_size', [1, 2, 3, 5])
@pytest.mark.parametrize('size', [1, 2, 3, 7])
def test_infinite_stream_is_shared_without_gap(monkeypatch, world_size, size) -> None:
    orders = KeyedSampler(range(size), seed=5)
    stream = [(int(i), 5, epoch) for epoch in range(40) for i in orders.order(epoch)]
    for rank in range(world_size):
        sampler = on_rank(monkeypatch, rank, world_size, size, infinite=True)
        sampler.set_epoch(3)  # has no effect
        expected = stream[rank::world_size][:8]
        assert keys(sampler, 8) == expected
        assert keys(sampler, 8) == expected
        assert len(sampler) == -(-size // world_size)
        for done in (0, 1, 5):
            sampler.skip(done)
            assert keys(sampler, 3) == expected[done : done + 3]


def test_infinite_unshuffled_passes_have_their_own_epoch() -> None:
    sampler = KeyedSampler(range(2), shuffle=False, seed=3, infinite=True)
    assert keys(sampler, 5) == [(0, 3, 0), (1, 3, 0), (0, 3, 1), (1, 3, 1), (0, 3, 2)]


def test_iteration_loop_resumes_where_it_stopped() -> None:
    from mmengine.runner.loops import _InfiniteDataloaderIterator

    def loader() -> DataLoader:
        sampler = KeyedSampler(range(10), seed=2, infinite=True)
        return DataLoader(range(10), batch_size=4, sampler=sampler)

    straight = list(islice(loader(), 12))
    resumed = _InfiniteDataloaderIterator(loader())
    resumed.skip_iter(7)
    assert all(torch.equal(next(resumed), batch) for batch in straight[7:])


def test_finite_sampler_offers_no_skip() -> None:
    assert not hasattr(KeyedSampler(range(3), seed=0), 'skip')


def test_registered_and_built_by_the_runner() -> None:
    built = DATA_SAMPLERS.build(
        dict(type='KeyedSampler', shuffle=False), default_args=dict(dataset=range(3), seed=4)
    )
    assert isinstance(built, KeyedSampler)
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=0,
            dataset=list(range(6)),
            sampler=dict(type='mochi_mm.KeyedSampler'),
            collate_fn=dict(type='default_collate'),
        ),
        seed=4,
    )
    assert loader.sampler.seed == 4
    assert sorted(torch.cat(list(loader)).tolist()) == list(range(6))


def test_seed_none_is_agreed_on(monkeypatch) -> None:
    monkeypatch.setattr('mochi_mm.datasets.keyed_sampler.sync_random_seed', lambda: 77)
    assert KeyedSampler(range(3)).seed == 77


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='empty'):
        KeyedSampler([], seed=0)
    with pytest.raises(ValueError, match='round_up=False'):
        KeyedSampler([1], seed=0, infinite=True, round_up=False)
    with pytest.raises(ValueError, match='-1'):
        KeyedSampler([1], seed=0, infinite=True).skip(-1)
    with pytest.raises(ValueError, match="unknown argument 'roundup'"):
        DATA_SAMPLERS.build(dict(type='KeyedSampler', dataset=[1], roundup=True))


def repeated(sampler: KeyedSampler, count: int | None = None) -> list[tuple[int, int, int]]:
    return [(int(key), key.epoch, key.repeat) for key in islice(sampler, count)]


@pytest.mark.parametrize('world_size', [1, 2, 3])
@pytest.mark.parametrize(('size', 'repeats'), [(1, 2), (6, 2), (7, 2), (7, 3), (10, 4), (5, 1)])
def test_repeats_pass_over_all_images(monkeypatch, world_size, size, repeats) -> None:
    """The images of all passes are the orders one behind the other; ranks share each pass."""
    plain = KeyedSampler(range(size), seed=5)
    row = [(int(i), number) for number in range(9) for i in plain.order(number)]
    images = -(-size // repeats)
    for epoch in range(5):
        part = row[epoch * images : (epoch + 1) * images]
        padded = [part[i % images] for i in range(-(-images // world_size) * world_size)]
        for rank in range(world_size):
            sampler = on_rank(monkeypatch, rank, world_size, size, repeats=repeats)
            sampler.set_epoch(epoch)
            mine = [(*image, r) for image in padded[rank::world_size] for r in range(repeats)]
            assert repeated(sampler) == mine and len(sampler) == len(mine)
            sampler.leave_out(3)
            assert repeated(sampler) == mine[3:]
            exact = on_rank(monkeypatch, rank, world_size, size, repeats=repeats, round_up=False)
            exact.set_epoch(epoch)
            mine = [(*image, r) for image in part[rank::world_size] for r in range(repeats)]
            assert repeated(exact) == mine and len(exact) == len(mine)


@pytest.mark.parametrize('world_size', [1, 2])
def test_repeats_without_end(monkeypatch, world_size) -> None:
    plain = KeyedSampler(range(5), seed=5)
    row = [(int(i), number) for number in range(9) for i in plain.order(number)]
    for rank in range(world_size):
        mine = [(*image, r) for image in row[rank::world_size] for r in range(3)]
        sampler = on_rank(monkeypatch, rank, world_size, 5, repeats=3, infinite=True)
        for done in (0, 1, 4, 7):
            sampler.skip(done)
            assert repeated(sampler, 11) == mine[done : done + 11]


def test_repeats_out_of_range() -> None:
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match=r'repeats is .*expected an integer >= 1'):
            KeyedSampler(range(4), repeats=bad)
    with pytest.raises(ValueError, match='without shuffle each image comes once'):
        KeyedSampler(range(4), repeats=2, shuffle=False)
