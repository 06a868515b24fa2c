"""The messages of a step as modeled are those that ranks hand over; steps and sizes follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.registry import init_default_scope

from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_record import SHAPES, Shard
from mochi_mm.datasets.packs.write_index import write_index
from mochi_mm.distributed.messages import Message
from mochi_mm.experiments.counted_messages import CountedMessages
from mochi_mm.experiments.counted_step import counted_step
from mochi_mm.experiments.message_model import CONFIGS, METHODS, SHUFFLED, StepSizes, totals
from mochi_mm.experiments.predicted_step import Network, step_seconds
from mochi_mm.experiments.scale_sizes import (
    checkpoint_bytes,
    memory_bytes,
    pack_index_bytes,
    table_bytes,
)
from mochi_mm.models.memories import InstanceBank, SampleTable
from tests.configs import ROOT
from tests.ranks import run_ranks

BATCH = 3
#: The others hand over nothing else; tools/benchmarks/messages.py counts all.
COUNTED = ('mocov2', 'supcon', 'paco')


def on_a_rank(rank: int) -> dict[str, Any]:
    init_default_scope('mochi_mm')
    found: dict[str, Any] = {}
    for name in COUNTED:
        path = ROOT / 'configs' / CONFIGS[name]
        sizes, messages = counted_step(path, BATCH, shuffle=name in SHUFFLED)
        found[name] = (vars(sizes), [vars(message) for message in messages])
    with CountedMessages():
        try:
            dist.all_gather_object([None, None], rank)
        except RuntimeError as error:
            found['other'] = str(error)
        try:
            dist.all_reduce(torch.ones(1))
        except RuntimeError as error:
            found['stranger'] = str(error)
    dist.all_reduce(torch.ones(1))  # as before
    return found


def test_ranks_hand_over_what_the_model_says() -> None:
    first, second = run_ranks(on_a_rank, 2)
    assert first == second
    assert 'all_gather_object, which is not counted' in first.pop('other')
    assert 'unknown sender' in first.pop('stranger')
    for name, (sizes, messages) in first.items():
        counted = [Message(**message) for message in messages]
        assert totals(counted) == totals(METHODS[name](StepSizes(**sizes), 2)), name
    assert METHODS.keys() == CONFIGS.keys()


def test_a_step_by_hand() -> None:
    """Four ranks: 3 parts of 100 bytes, 2 x 3/4 of 4,000, three hops of the hosts' ring."""
    network = Network(bytes_per_second=1000.0, device_hop=0.01, host_hop=0.5)
    messages = [
        Message('embeddings', 'all_gather', 100),
        Message('gradients', 'all_reduce', 4000),
        Message('counts', 'all_gather', 8),
    ]
    parts = step_seconds(messages, 4, network, encoders=6.0, backward=0.5)
    assert parts['others'] == pytest.approx(0.3 + 2 * 0.01)
    assert parts['gradients'] == pytest.approx(6.0 + 0.02 - 3.0)
    assert parts['hosts'] == pytest.approx(3 * 0.5)
    assert parts['step'] == pytest.approx(6.0 + 0.32 + 3.02 + 1.5)
    hidden = step_seconds(messages, 4, network, encoders=60.0, backward=0.5)
    assert hidden['gradients'] == 0


def state_bytes(module: torch.nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in module.state_dict().values())


def test_sizes_are_those_of_the_formats(tmp_path: Path) -> None:
    count = 37
    names = [f'class/{number:06}.jpg' for number in range(count)]
    arrays = {
        name: np.zeros((count, *row), kind)
        for name, (kind, row) in SHAPES.items()
        if not name.startswith('name')
    }
    shard = Shard(0, '0' * 64, 'images-00000.bin', count, '0' * 64)
    write_index(tmp_path, PackOptions('raw'), ['a'], [shard], arrays, names, {}, [])
    written = sum(path.stat().st_size for path in tmp_path.glob('*.npy'))
    assert written == pack_index_bytes(count, len(names[0]))

    assert state_bytes(InstanceBank(count, 5)) == memory_bytes(count, 5)
    assert state_bytes(SampleTable(count)) == table_bytes(count)
    net = torch.nn.Linear(7, 5)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.ones(1, 7)).sum().backward()
    optimizer.step()
    moments = sum(s['momentum_buffer'].numel() for s in optimizer.state.values())
    assert checkpoint_bytes(40, 40, 9) == 4 * (2 * 40 + moments) + 9
