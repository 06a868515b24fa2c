"""The class-balanced queue against a list for each class; ranks; what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.memories import ClassBalancedQueue
from mochi_mm.structures import DataFacts
from tests.models.memories.toy import WritesOfRows
from tests.ranks import run_ranks
from tests.reference import random_units

CLASSES, EACH, DIM = 3, 2, 4
STATE = {'features', 'labels', 'indices', 'pointer', 'count'}


class Rings:
    """A ring of rows in Python for each class."""

    def __init__(self, queue: ClassBalancedQueue) -> None:
        self.rows = queue.features.tolist()
        self.labels, self.indices = ([-1] * len(self.rows) for _ in range(2))
        self.pointer, self.count = ([0] * queue.num_classes for _ in range(2))
        self.each = queue.per_class

    def enqueue(self, rows: list[list[float]], labels: list[int], indices: list[int]) -> None:
        for row, label, index in zip(rows, labels, indices, strict=True):
            if not 0 <= label < len(self.pointer):
                continue
            place = label * self.each + self.pointer[label]
            self.rows[place], self.labels[place], self.indices[place] = row, label, index
            self.pointer[label] = (self.pointer[label] + 1) % self.each
            self.count[label] = min(self.count[label] + 1, self.each)


def assert_same(queue: ClassBalancedQueue, rings: Rings) -> None:
    assert queue.features.tolist() == rings.rows
    assert queue.labels.tolist() == rings.labels
    assert queue.indices.tolist() == rings.indices
    assert queue.pointer.tolist() == rings.pointer
    assert queue.count.tolist() == rings.count
    held = [label >= 0 for label in rings.labels]
    assert queue.held().tolist() == held
    assert float(queue.fill()) == pytest.approx(sum(held) / len(held))


def batch(size: int, step: int) -> Any:
    """Keys, labels of which some are no class of the queue, and numbers of images."""
    labels = (torch.arange(size) * 7 + 3 * step) % (CLASSES + 2) - 1
    return random_units(size, DIM, step).float(), labels, torch.arange(size) + 100 * step


@pytest.mark.parametrize('each', [1, EACH, 5])
@pytest.mark.parametrize('size', [0, 1, 2, 5, 6, 7, 40])
def test_equals_a_list_for_each_class(size: int, each: int) -> None:
    queue = ClassBalancedQueue(CLASSES, each, DIM)
    rings = Rings(queue)
    for step in range(5):
        keys, labels, indices = (part[:size] for part in batch(max(1, size), step))
        with WritesOfRows():
            queue.enqueue(keys, labels, indices)
        rings.enqueue(keys.tolist(), labels.tolist(), indices.tolist())
        assert_same(queue, rings)


@pytest.mark.parametrize('counts', [[7, 0, 0], [0, 3, 1], [1, 1, 1], [0, 0, 4]])
def test_each_class_has_a_pointer_of_its_own(counts: list[int]) -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    rings = Rings(queue)
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    for step in range(3):
        keys = random_units(len(labels), DIM, step).float()
        queue.enqueue(keys, torch.tensor(labels))
        rings.enqueue(keys.tolist(), labels, [-1] * len(labels))
        assert_same(queue, rings)
    assert queue.pointer.tolist() == [3 * count % EACH for count in counts]


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
def test_a_key_that_is_not_finite_takes_no_place(wrong: float) -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    rings = Rings(queue)
    for step in range(3):
        keys, labels, indices = batch(9, step)
        keys[step, 1], keys[-1] = wrong, wrong
        queue.enqueue(keys, labels, indices)
        kept = [i for i in range(9) if i not in (step, 8)]
        rings.enqueue(keys[kept].tolist(), labels[kept].tolist(), indices[kept].tolist())
        assert_same(queue, rings)


def test_state_dict_holds_everything() -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    queue.enqueue(*batch(7, 0))
    other = ClassBalancedQueue(CLASSES, EACH, DIM, init_seed=9)
    other.load_state_dict(queue.state_dict())
    assert set(queue.state_dict()) == STATE
    for memory in (queue, other):
        memory.enqueue(*batch(5, 1))
    for name, value in queue.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_a_snapshot_is_left_alone_and_half_precision_is_stored_as_float32() -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    before = queue.snapshot()
    kept = before.clone()
    queue.enqueue(random_units(3, DIM, 0).bfloat16(), torch.arange(3))
    assert torch.equal(before, kept) and not torch.equal(queue.features, kept)
    assert queue.features.dtype == torch.float32
    assert queue.indices.tolist() == [-1] * len(queue.indices)


def enqueued(rank: int, batches: list[list[int]]) -> dict[str, torch.Tensor]:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    for step, splits in enumerate(batches):
        queue.enqueue(*(part.split(splits)[rank] for part in batch(sum(splits), step)))
    return dict(queue.state_dict())


def test_two_ranks_equal_one() -> None:
    """With classes that come on both ranks, uneven batches, and a rank without a key."""
    batches = [[2, 2], [5, 2], [0, 3], [9, 11]]
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    for step, splits in enumerate(batches):
        queue.enqueue(*batch(sum(splits), step))
    for state in run_ranks(enqueued, 2, batches):
        for name, value in queue.state_dict().items():
            assert torch.equal(state[name], value), name


def test_the_facts_of_the_data_must_fit() -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    facts = DataFacts(9, 'abc', torch.tensor([4, 3, 2]), torch.ones(9).bool())
    queue.set_data(facts)
    with pytest.raises(ValueError, match='queue is made for 5 classes but the training set has 3'):
        ClassBalancedQueue(5, EACH, DIM).set_data(facts)


@pytest.mark.parametrize('name', ['num_classes', 'per_class', 'dim'])
@pytest.mark.parametrize('value', [0, -1, 1.5, True])
def test_bad_sizes(name: str, value: Any) -> None:
    sizes = {**dict(num_classes=CLASSES, per_class=EACH, dim=DIM), name: value}
    with pytest.raises(ValueError, match=f'{name} is .*expected an integer >= 1'):
        ClassBalancedQueue(**sizes)


def test_bad_keys() -> None:
    queue = ClassBalancedQueue(CLASSES, EACH, DIM)
    with pytest.raises(ValueError, match=r'needs the class of every key.* 0 to 2'):
        queue.enqueue(torch.zeros(3, DIM))
    with pytest.raises(ValueError, match=r'\(3, 5\).*width 4'):
        queue.enqueue(torch.zeros(3, 5), torch.zeros(3).long())
    with pytest.raises(ValueError, match='labels of shape .*one for each key'):
        queue.enqueue(torch.zeros(3, DIM), torch.zeros(2).long())
    assert queue.count.tolist() == [0, 0, 0]
