"""What every memory offers to a head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from mochi_mm.models.memories import BaseMemory, FeatureQueue, InstanceBank, Prototypes
from tests.reference import random_units

KINDS: list[Callable[..., BaseMemory]] = [FeatureQueue, InstanceBank, Prototypes]


@pytest.mark.parametrize('kind', KINDS)
def test_starts_with_unit_rows_that_are_the_same_everywhere(kind: Any) -> None:
    memory = kind(100, 8)
    torch.testing.assert_close(memory.features.norm(dim=1), torch.ones(100))
    torch.manual_seed(123)
    assert torch.equal(memory.features, kind(100, 8).features)
    assert not torch.equal(memory.features, kind(100, 8, init_seed=1).features)
    assert float(memory.fill()) == 0 and not memory.held().any()
    assert (memory.labels == -1).all() or kind is Prototypes  # whose rows are the classes
    assert (memory.indices == -1).all()


@pytest.mark.parametrize('kind', KINDS)
def test_snapshot_is_left_alone(kind: Any) -> None:
    memory = kind(5, 3)
    before = memory.snapshot()
    kept = before.clone()
    memory.enqueue(random_units(3, 3, 0).float(), torch.arange(3), torch.arange(3))
    assert torch.equal(before, kept) and not torch.equal(memory.features, kept)


@pytest.mark.parametrize('kind', KINDS)
def test_a_state_dict_holds_everything(kind: Any) -> None:
    memory, other = kind(5, 3), kind(5, 3, init_seed=9)
    for step, one in enumerate((memory, memory, other)):
        if one is other:
            other.load_state_dict(memory.state_dict())
        one.enqueue(random_units(2, 3, step).float(), torch.tensor([4, 1]), torch.tensor([2, 0]))
    memory.enqueue(random_units(2, 3, 2).float(), torch.tensor([4, 1]), torch.tensor([2, 0]))
    for name, value in memory.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_masks_match_labels_and_indices_that_are_known() -> None:
    memory = FeatureQueue(4, 2)
    memory.enqueue(random_units(3, 2, 0).float(), torch.tensor([5, 6, 5]), torch.tensor([1, 2, 3]))
    none = [False] * 4
    assert memory.own_keys(torch.tensor([2, -1])).tolist() == [[False, True, False, False], none]
    assert memory.same_label(torch.tensor([5, -1])).tolist() == [[True, False, True, False], none]
    memory.enqueue(random_units(1, 2, 1).float(), torch.tensor([0]), torch.tensor([0]))
    last = [[False, False, False, True]]  # 0 is a label and an index like others
    assert memory.own_keys(torch.tensor([0])).tolist() == last
    assert memory.same_label(torch.tensor([0])).tolist() == last


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('name', 'arguments'),
    [
        ('length', dict(length=0)),
        ('dim', dict(length=4, dim=-3)),
        ('length', dict(length=1.5)),
        ('dim', dict(length=4, dim=True)),
    ],
)
def test_bad_sizes(kind: Any, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f'{kind.__name__} {name} is .*expected an integer >= 1'):
        kind(**arguments)


@pytest.mark.parametrize('kind', KINDS)
def test_bad_keys_leave_it_alone(kind: Any) -> None:
    memory = kind(4, 2)
    before, two = memory.snapshot(), torch.arange(2)
    for keys in (torch.zeros(2, 5), torch.zeros(2)):
        with pytest.raises(ValueError, match=r'keys of shape .* do not fit a memory of width 2'):
            memory.enqueue(keys, two, two)
    with pytest.raises(ValueError, match='labels of shape .*one for each key'):
        memory.enqueue(torch.zeros(2, 2), torch.arange(3), two)
    with pytest.raises(ValueError, match='indices of shape .*one for each key'):
        memory.enqueue(torch.zeros(2, 2), two, torch.arange(3))
    assert torch.equal(memory.features, before)
