"""The queue against a plain list."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.memories import FeatureQueue
from tests.ranks import run_ranks
from tests.reference import random_units

LENGTH = 5


class ListQueue:
    """A ring of rows in Python."""

    def __init__(self, rows: list[list[float]]) -> None:
        self.rows = rows
        self.labels = [-1] * len(rows)
        self.indices = [-1] * len(rows)
        self.pointer, self.count = 0, 0

    def enqueue(self, rows: list[list[float]], labels: list[int], indices: list[int]) -> None:
        for row, label, index in zip(rows, labels, indices, strict=True):
            self.rows[self.pointer] = row
            self.labels[self.pointer], self.indices[self.pointer] = label, index
            self.pointer = (self.pointer + 1) % len(self.rows)
            self.count = min(self.count + 1, len(self.rows))


def assert_same(queue: FeatureQueue, plain: ListQueue) -> None:
    assert queue.features.tolist() == plain.rows
    assert queue.labels.tolist() == plain.labels
    assert queue.indices.tolist() == plain.indices
    assert int(queue.pointer) == plain.pointer
    assert int(queue.count) == plain.count


@pytest.mark.parametrize('batch', [1, LENGTH - 1, LENGTH, LENGTH + 1, 3 * LENGTH + 2])
def test_equals_a_list(batch: int) -> None:
    queue = FeatureQueue(LENGTH, 3)
    plain = ListQueue(queue.features.tolist())
    for step in range(4):
        keys = random_units(batch, 3, step).float()
        labels = torch.arange(batch) + 10 * step
        queue.enqueue(keys, labels, labels + 100)
        plain.enqueue(keys.tolist(), labels.tolist(), (labels + 100).tolist())
        assert_same(queue, plain)


def test_unknown_labels_and_indices_are_minus_one() -> None:
    queue = FeatureQueue(4, 2)
    queue.enqueue(random_units(4, 2, 0).float(), torch.arange(4), torch.arange(4))
    queue.enqueue(random_units(2, 2, 0).float())
    assert queue.labels.tolist() == [-1, -1, 2, 3]
    assert queue.indices.tolist() == [-1, -1, 2, 3]


def test_starts_with_unit_rows_that_are_the_same_everywhere() -> None:
    queue = FeatureQueue(100, 8)
    torch.testing.assert_close(queue.features.norm(dim=1), torch.ones(100))
    torch.manual_seed(123)
    assert torch.equal(queue.features, FeatureQueue(100, 8).features)
    assert not torch.equal(queue.features, FeatureQueue(100, 8, init_seed=1).features)


def test_state_dict_holds_everything() -> None:
    queue = FeatureQueue(LENGTH, 3)
    queue.enqueue(random_units(7, 3, 0).float(), torch.arange(7), torch.arange(7))
    other = FeatureQueue(LENGTH, 3, init_seed=9)
    other.load_state_dict(queue.state_dict())
    assert set(queue.state_dict()) == {'features', 'labels', 'indices', 'pointer', 'count'}
    keys = random_units(2, 3, 5).float()
    queue.enqueue(keys)
    other.enqueue(keys)
    for name, value in queue.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_snapshot_is_left_alone() -> None:
    queue = FeatureQueue(LENGTH, 3)
    before = queue.snapshot()
    kept = before.clone()
    queue.enqueue(random_units(3, 3, 0).float())
    assert torch.equal(before, kept) and not torch.equal(queue.features, kept)


def test_held_and_fill() -> None:
    queue = FeatureQueue(4, 2)
    queue.enqueue(random_units(3, 2, 0).float())
    assert queue.held().tolist() == [True, True, True, False]
    assert float(queue.fill()) == pytest.approx(0.75)
    queue.enqueue(random_units(3, 2, 0).float())
    assert queue.held().all() and float(queue.fill()) == 1


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
@pytest.mark.parametrize('batch', [4, LENGTH + 3])
def test_a_key_that_is_not_finite_takes_no_place(batch: int, wrong: float) -> None:
    queue = FeatureQueue(LENGTH, 3)
    plain = ListQueue(queue.features.tolist())
    for step in range(3):
        keys = random_units(batch, 3, step).float()
        keys[step, 1], keys[-1] = wrong, wrong
        labels = torch.arange(batch) + 10 * step
        queue.enqueue(keys, labels, labels)
        kept = [i for i in range(batch) if i not in (step, batch - 1)]
        plain.enqueue(keys[kept].tolist(), labels[kept].tolist(), labels[kept].tolist())
        assert_same(queue, plain)


def test_half_precision_keys_are_stored_in_float32() -> None:
    queue = FeatureQueue(4, 2)
    queue.enqueue(random_units(2, 2, 0).bfloat16())
    assert queue.features.dtype == torch.float32


@pytest.mark.parametrize(
    ('name', 'arguments'),
    [
        ('length', dict(length=0)),
        ('dim', dict(dim=-3)),
        ('length', dict(length=1.5)),
        ('dim', dict(dim=True)),
    ],
)
def test_bad_sizes(name: str, arguments: dict) -> None:
    with pytest.raises(ValueError, match=f'{name} is .*expected an integer >= 1'):
        FeatureQueue(**arguments)


def test_bad_keys() -> None:
    queue = FeatureQueue(4, 2)
    with pytest.raises(ValueError, match=r'\(3, 5\).*width 2'):
        queue.enqueue(torch.zeros(3, 5))
    with pytest.raises(ValueError, match='labels of shape .*one for each key'):
        queue.enqueue(torch.zeros(3, 2), labels=torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match='labels is a tensor of shape .*torch.float32; expected i'):
        queue.enqueue(torch.zeros(3, 2), labels=torch.zeros(3))
    assert int(queue.count) == 0


SPLITS = [[2, 2], [3, 1], [4, 4], [1, 6]]


def _enqueue_share(rank: int) -> list[dict[str, torch.Tensor]]:
    torch.manual_seed(rank)
    states = []
    for splits in SPLITS:
        queue = FeatureQueue(LENGTH, 3)
        for step in range(3):
            keys = random_units(sum(splits), 3, step).float().split(splits)[rank]
            ids = torch.arange(sum(splits)).split(splits)[rank] + 10 * step
            queue.enqueue(keys, ids, ids + 1)
        states.append(dict(queue.state_dict()))
    return states


def test_two_ranks_equal_one() -> None:
    results = run_ranks(_enqueue_share, 2)
    for case, splits in enumerate(SPLITS):
        plain = ListQueue(FeatureQueue(LENGTH, 3).features.tolist())
        for step in range(3):
            ids = (torch.arange(sum(splits)) + 10 * step).tolist()
            plain.enqueue(
                random_units(sum(splits), 3, step).float().tolist(), ids, [i + 1 for i in ids]
            )
        for states in results:
            queue = FeatureQueue(LENGTH, 3)
            queue.load_state_dict(states[case])
            assert_same(queue, plain)
