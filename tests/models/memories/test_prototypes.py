"""Prototypes against a loop over their members; learnable ones; ranks; what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.heads import ContrastiveHead
from mochi_mm.models.memories import Prototypes
from tests.ranks import run_ranks
from tests.reference import random_units, unit

LENGTH, DIM = 4, 3


def loop(
    rows: torch.Tensor, features: torch.Tensor, labels: list[int], ema_decay: float
) -> torch.Tensor:
    """A row is scaled to unit length after each of its members, in their order."""
    result = rows.double().clone()
    for feature, label in zip(features.double(), labels, strict=True):
        if 0 <= label < len(rows):
            result[label] = unit(ema_decay * result[label] + (1 - ema_decay) * feature)
    return result.float()


@pytest.mark.parametrize('ema_decay', [0.0, 0.9])
@pytest.mark.parametrize('labels', [[2], [0, 1, 2, 3], [1, 1, -1, 1, 3, 0], [], [-1, -1]])
def test_equals_the_loop(labels: list[int], ema_decay: float) -> None:
    prototypes = Prototypes(LENGTH, DIM, ema_decay)
    expected, seen = prototypes.snapshot(), [0] * LENGTH
    assert prototypes.labels.tolist() == [0, 1, 2, 3]
    for step in range(3):
        features = random_units(max(1, len(labels)), DIM, step).float()[: len(labels)]
        expected = loop(expected, features, labels, ema_decay)
        prototypes.enqueue(features, torch.tensor(labels, dtype=torch.long))
        torch.testing.assert_close(prototypes.features, expected, rtol=1e-6, atol=1e-6)
        seen = [count + labels.count(c) for c, count in enumerate(seen)]
        assert prototypes.count.tolist() == seen
    assert prototypes.held().tolist() == [count > 0 for count in seen]
    assert float(prototypes.fill()) == sum(count > 0 for count in seen) / LENGTH


def test_a_worked_update() -> None:
    """(0.9 (1, 0) + 0.1 (0, 1)) / sqrt(0.82), then once more with the same member."""
    prototypes = Prototypes(2, 2, 0.9)
    prototypes.features.copy_(torch.eye(2))
    prototypes.enqueue(torch.tensor([[0.0, 1.0]]), torch.tensor([0]))
    assert prototypes.features[0].tolist() == pytest.approx([0.993884, 0.110432], abs=1e-6)
    assert prototypes.held().tolist() == [True, False] and float(prototypes.fill()) == 0.5
    prototypes.enqueue(torch.tensor([[0.0, 1.0]]), torch.tensor([0]))
    assert prototypes.features[0].tolist() == pytest.approx([0.976045, 0.217567], abs=1e-6)
    assert prototypes.features[1].tolist() == [0, 1]


def test_classes_without_a_prototype_are_passed_over() -> None:
    prototypes, expected = Prototypes(LENGTH, DIM), Prototypes(LENGTH, DIM)
    features = random_units(4, DIM, 0).float()
    prototypes.enqueue(features, torch.tensor([LENGTH, 1, LENGTH + 9, -1]))
    expected.enqueue(features[1:2], torch.tensor([1]))
    same = expected.state_dict().items()
    assert all(torch.equal(value, prototypes.state_dict()[name]) for name, value in same)


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
def test_a_feature_that_is_not_finite_is_passed_over(wrong: float) -> None:
    prototypes, expected = Prototypes(LENGTH, DIM), Prototypes(LENGTH, DIM)
    features, labels = random_units(3, DIM, 0).float(), torch.tensor([1, 1, 2])
    features[1, 0] = wrong
    prototypes.enqueue(features, labels)
    expected.enqueue(features[[0, 2]], labels[[0, 2]])
    for name, value in expected.state_dict().items():
        assert torch.equal(value, prototypes.state_dict()[name]), name


def test_learnable_prototypes_are_a_parameter_with_gradient() -> None:
    prototypes = Prototypes(LENGTH, DIM, ema_decay=None)
    assert isinstance(prototypes.weight, torch.nn.Parameter)
    with torch.no_grad():
        prototypes.weight.mul_(3)
    rows = prototypes.snapshot()
    torch.testing.assert_close(rows, prototypes.features)  # of unit length, whatever the weight
    (rows @ torch.ones(DIM)).sum().backward()
    gradient = prototypes.weight.grad
    assert gradient is not None and gradient.abs().sum() > 0
    # Along a row nothing changes.
    torch.testing.assert_close((gradient * rows).sum(1), torch.zeros(LENGTH), atol=1e-6, rtol=0)
    assert prototypes.held().all() and float(prototypes.fill()) == 1
    with pytest.raises(ValueError, match='learnable prototypes are moved by the optimizer'):
        prototypes.enqueue(torch.ones(1, DIM), torch.tensor([0]))


def test_the_rows_of_a_head_are_prototypes() -> None:
    """A memory like any other: keys with a label move theirs, after the loss."""
    head = ContrastiveHead(Prototypes(LENGTH, DIM))
    before = head.memory.snapshot()
    query, key = random_units(2, DIM, 0).float(), random_units(2, DIM, 1).float()
    head.loss(query, key, dict(gt_label=torch.tensor([3, 3])))
    torch.testing.assert_close(head.memory.features, loop(before, key, [3, 3], 0.9))


def enqueued(rank: int, batches: list[list[int]]) -> dict[str, torch.Tensor]:
    prototypes = Prototypes(LENGTH, DIM)
    for step, splits in enumerate(batches):
        features, labels = (part.split(splits)[rank] for part in batch(sum(splits), step))
        prototypes.enqueue(features, labels)
    return dict(prototypes.state_dict())


def batch(size: int, step: int) -> Any:
    return random_units(size, DIM, step).float(), (torch.arange(size) * 3 + step) % 5 - 1


def test_two_ranks_equal_one() -> None:
    """With classes that come on both ranks, and samples without one."""
    batches = [[2, 2], [5, 2], [0, 3]]
    prototypes = Prototypes(LENGTH, DIM)
    for step, splits in enumerate(batches):
        prototypes.enqueue(*batch(sum(splits), step))
    for state in run_ranks(enqueued, 2, batches):
        for name, value in prototypes.state_dict().items():
            assert torch.equal(state[name], value), name


def test_bad_settings_and_batches() -> None:
    for value in (1, -0.1):
        with pytest.raises(
            ValueError, match=rf'ema_decay is {value}; expected .* or None for lear'
        ):
            Prototypes(LENGTH, DIM, ema_decay=value)
    with pytest.raises(ValueError, match='needs the class of every feature, got none'):
        Prototypes(LENGTH, DIM).enqueue(torch.ones(1, DIM))


def test_an_opposite_member_leaves_a_prototype_as_it_is() -> None:
    prototypes = Prototypes(2, 2, ema_decay=0.5)
    prototypes.features.copy_(torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
    features = torch.tensor([[-0.6, -0.8], [1.0, 0.0]])
    prototypes.enqueue(features, torch.tensor([0, 1]))
    expected = torch.tensor([[0.6, 0.8], [0.707107, 0.707107]])
    torch.testing.assert_close(prototypes.features, expected, rtol=0, atol=1e-6)


def test_no_rows_write_nothing() -> None:
    prototypes = Prototypes(3, 2)
    before = prototypes.snapshot()
    prototypes.enqueue(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))
    assert torch.equal(prototypes.features, before) and prototypes.count.tolist() == [0] * 3
