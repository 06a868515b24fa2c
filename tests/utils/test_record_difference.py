"""What differs between records of training steps, and by how much."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.experiments.record_difference import differences, number, summary


def record(loss: float = 2.0, memory: Any = None, **changes: Any) -> dict[str, Any]:
    rows = torch.arange(6.0).view(2, 3)
    memory = {'head.memory.features': rows} if memory is None else memory
    step = dict(
        values=dict(loss=number(loss), acc=number(0.5)),
        gradients=dict(all=summary([rows])),
        memory={key: summary([value]) for key, value in memory.items()},
    )
    shapes = {key: list(value.shape) for key, value in memory.items()}
    return dict(dict(initial={}, steps=[step], state_dict=shapes), **changes)


def test_a_summary_is_of_bits_and_not_of_names_or_order() -> None:
    one, two = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([[4.0]])
    found = summary([one, two])
    assert found == summary([two, one])
    assert float.fromhex(found['norm']['exact']) == math.sqrt(1 + 4 + 9 + 16)
    assert float.fromhex(found['sum']['exact']) == 6.0
    wave = math.cos(1) - 2 * math.cos(2) + 3 * math.cos(3) + 4 * math.cos(1)
    assert float.fromhex(found['probe']['exact']) == pytest.approx(wave, abs=1e-14)
    assert summary([one.flip(0), two])['norm'] == found['norm']
    assert summary([one.flip(0), two])['probe'] != found['probe']
    assert summary([one, two[0]])['digest'] != found['digest']
    assert summary([torch.tensor([0.0])])['digest'] != summary([torch.tensor([-0.0])])['digest']


def test_same_records_differ_in_nothing() -> None:
    found = differences(record(), record())
    assert (found.largest, found.bits, found.names) == (0.0, [], [])


@pytest.mark.parametrize(
    ('former', 'now', 'expected'),
    [
        (4.0, 5.0, 0.2),  # relative to the larger
        (0.25, 0.5, 0.25),  # or to one
        (math.nan, math.nan, 0.0),
        (math.inf, math.inf, 0.0),
        (1.0, math.nan, math.inf),
        (1.0, math.inf, math.inf),
    ],
)
def test_numbers(former: float, now: float, expected: float) -> None:
    found = differences(record(former), record(now))
    assert found.largest == expected
    assert len(found.bits) == (expected > 0)
    if expected:
        assert found.bits[0].startswith('step 1, values: 1 of 2 with other bits')


def test_tensors_differ_by_norm_or_probe_relative_to_the_norm() -> None:
    rows = torch.arange(6.0).view(2, 3)
    for other, expected in (
        (2 * rows, 0.5),
        (rows.flip(0), abs(wave(rows) - wave(rows.flip(0))) / float(rows.norm())),
    ):
        found = differences(record(), record(memory={'head.memory.features': other}))
        assert found.largest == pytest.approx(expected, rel=1e-6)
        assert 'memory: 1 of 1 with other bits' in found.bits[0]


def wave(rows: torch.Tensor) -> float:
    return sum(value * math.cos(i + 1) for i, value in enumerate(rows.flatten().tolist()))


def test_a_renamed_memory_is_compared_all_the_same() -> None:
    rows = torch.arange(6.0).view(2, 3)
    found = differences(record(), record(memory={'heads.0.memory.features': rows}))
    assert (found.largest, found.bits) == (0.0, [])
    assert found.names == [
        'state dict: head.memory.features [2, 3] is gone',
        'state dict: heads.0.memory.features [2, 3] is new',
        'memory: head.memory.features is compared with heads.0.memory.features',
    ]
    found = differences(record(), record(memory={'heads.0.memory.features': rows + 1}))
    assert found.largest > 0.1 and 'head.memory.features -> heads.0' in found.bits[0]


def test_names_without_a_partner_are_listed() -> None:
    rows = torch.arange(6.0).view(2, 3)
    found = differences(record(), record(memory={'a': rows, 'b': rows}))
    assert found.names[3:] == [
        'memory: not compared: head.memory.features is gone',
        'memory: not compared: a is new',
        'memory: not compared: b is new',
    ]
