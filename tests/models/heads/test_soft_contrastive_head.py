"""SCE: worked values, loops, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ContrastiveHead, SoftContrastiveHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.models.heads.toy import Roles, T, memory, mixing, pairs, pairs_loop
from tests.reference import dot

HEADS: dict[str, Any] = {
    'masked': dict(key_temperature=0.07, own_weight=0.4),
    'zero slot': dict(key_temperature=1.0, own_weight=0.0, own_slot='zero'),
    'own keys masked': dict(mask_own_keys=True),
    'mixing': dict(mixing=mixing(3)),
    'mixing, skip, own keys masked': dict(mixing=mixing(3, skip=1), mask_own_keys=True),
}


@pytest.mark.parametrize('size', [1, 3, 7])
@pytest.mark.parametrize('name', HEADS)
def test_loss_equals_the_loop(name: str, size: int) -> None:
    head = SoftContrastiveHead(memory(), **HEADS[name])
    queries, keys, samples = pairs(size)
    bank, indices = head.memory.features.double(), head.memory.indices.tolist()

    def roles(image: int, own: list[Tensor]) -> Roles:
        """The share of each row in the target, relative to what the own key has."""
        mine = int(samples['sample_idx'][image]) if head.mask_own_keys else -2
        parts = {
            j: math.exp(dot(own[0], row) / head.key_temperature)
            for j, row in enumerate(bank)
            if indices[j] != mine
        }
        total = sum(parts.values()) + (head.own_slot == 'zero')
        shares = {j: (1 - head.own_weight) * part / total for j, part in parts.items()}
        rest = 1 - sum(shares.values())
        return {j: share / rest for j, share in shares.items()}, set(), set()

    expected = pairs_loop(head, queries, keys, samples, roles)
    result = head.loss_views(queries, keys, samples)
    assert float(result['loss_contrast']) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ('temperature', 'key_temperature', 'own_weight', 'own_slot', 'expected'),
    [
        (0.1, 0.07, 0.5, 'masked', 1.388558),
        (0.1, 0.07, 0.5, 'zero', 1.388549),
        (0.2, 1.0, 0.5, 'masked', 2.001184),
        (0.2, 1.0, 0.5, 'zero', 1.785176),
        (0.1, 0.07, 1.0, 'masked', 0.814853),
        (0.1, 0.07, 1.0, 'zero', 0.814853),
        (0.1, 0.07, 0.0, 'masked', 1.962263),
    ],
)
def test_worked_values(
    temperature: float, key_temperature: float, own_weight: float, own_slot: str, expected: float
) -> None:
    queue = FeatureQueue(4, 2)
    rows = [[0.96, 0.28], [-0.6, 0.8], [0.6, -0.8], [-1.0, 0.0]]
    queue.features.copy_(torch.tensor(rows))
    head = SoftContrastiveHead(
        queue, key_temperature, own_weight, own_slot, temperature=temperature
    )
    query, key = torch.tensor([[0.8, 0.6], [0.28, 0.96]]), torch.eye(2)
    loss = head.loss(2 * query, 3 * key)['loss_contrast']
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_own_weight_one_is_moco() -> None:
    queries, keys, samples = pairs(5)
    moco = ContrastiveHead(memory(), T).loss_views(queries, keys, samples)
    sce = SoftContrastiveHead(memory(), own_weight=1.0).loss_views(queries, keys, samples)
    assert moco.keys() == sce.keys()
    for name, value in moco.items():
        torch.testing.assert_close(sce[name], value, msg=name)


def test_rows_with_a_share_are_mixed_all_the_same() -> None:
    head = SoftContrastiveHead(memory(), mixing=mixing(3))
    step = head.compute(Views(*pairs(2)))
    assert step.block('memory').mixable is True
    assert step.mixed is not None and step.mixed.hard.count is not None
    assert (step.mixed.hard.count == 3).all()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='key_temperature is 0; expected a number above 0'):
        SoftContrastiveHead(memory(), key_temperature=0)
    with pytest.raises(ValueError, match='own_weight is True; expected the weight lambda'):
        SoftContrastiveHead(memory(), own_weight=True)
    with pytest.raises(ValueError, match="own_slot is 'own'; expected one of masked, zero"):
        SoftContrastiveHead(memory(), own_slot='own')
