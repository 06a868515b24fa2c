"""Count bytes and messages of a training step among gloo ranks, and compare them with the model.

python tools/benchmarks/messages.py [METHOD ...] [--ranks 2 4 8] [--batch 8] [--config CONFIG]
    [--json OUT]

Takes two steps of each method's CPU-sized config in processes of this machine and counts, in the
second, what every rank hands to torch.distributed: images, embeddings, labels, gradients, counts.
The model beside it is mochi_mm/experiments/message_model.py; docs/scaling.md has what follows from
it. --config counts a config that has no model. Exit code: 0 all as the model says, 1 not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

ROOT = Path(__file__).resolve().parents[2]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.experiments.message_model import CONFIGS
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('methods', nargs='*', metavar='METHOD', help=', '.join(CONFIGS))
    parser.add_argument('--ranks', type=int, nargs='+', default=[2, 4, 8])
    parser.add_argument('--batch', type=int, default=8, help='images of a rank')
    parser.add_argument('--config', action='append', default=[], help='count this one as well')
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if unknown := [name for name in args.methods if name not in CONFIGS]:
        raise ValueError(f'no method {unknown[0]!r}; expected some of {", ".join(CONFIGS)}.')
    if args.batch < 2 or min(args.ranks) < 2:
        raise ValueError('--batch and --ranks must be at least 2.')
    return args


def main(argv: list[str] | None = None) -> int:
    """Count, print, write; return the exit code."""
    args = parse_args(argv)
    from mochi_mm.distributed.messages import sent_bytes
    from mochi_mm.experiments.benchmark import write_json
    from mochi_mm.experiments.message_model import CONFIGS, METHODS, totals

    methods = args.methods or ([] if args.config else list(CONFIGS))
    paths = {name: str(ROOT / 'configs' / CONFIGS[name]) for name in methods}
    paths |= {Path(path).stem: path for path in args.config}
    found: list[dict[str, Any]] = []
    differ = 0
    for ranks in args.ranks:
        for name, (sizes, counted) in counted_by(list(paths.items()), ranks, args.batch).items():
            modeled = METHODS[name](sizes, ranks) if name in METHODS else None
            same = modeled is None or totals(modeled) == totals(counted)
            differ += not same
            kinds: dict[str, dict[str, float]] = {}
            for message in counted:
                kind = kinds.setdefault(message.kind, dict(messages=0, bytes=0, sent=0.0))
                kind['messages'] += 1
                kind['bytes'] += message.bytes
                kind['sent'] += sent_bytes(message, ranks)
            row = dict(method=name, ranks=ranks, batch=args.batch, kinds=kinds, as_modeled=same)
            found.append(row | dict(sizes=vars(sizes)))
            word = 'no model' if modeled is None else 'as modeled' if same else 'NOT AS MODELED'
            print(f'{name}, {ranks} ranks: {len(counted)} messages, {word}')
            for kind, values in kinds.items():
                print(
                    f'  {kind:20} {values["messages"]:3.0f} messages, {values["bytes"]:12.0f} '
                    f'bytes handed over, {values["sent"]:12.0f} sent in a ring'
                )
    write_json(args.json, dict(measured=found))
    return int(differ > 0)


def counted_by(paths: Sequence[tuple[str, str]], ranks: int, batch: int) -> dict[str, Any]:
    """Return the sizes and the messages of rank 0 by method; all ranks hand over the same.

    Raises:
        RuntimeError: They do not.
    """
    import tempfile

    import torch.multiprocessing as mp

    from mochi_mm.distributed.messages import Message
    from mochi_mm.experiments.message_model import StepSizes

    with tempfile.TemporaryDirectory() as folder:
        given = (paths, ranks, batch, folder)
        mp.start_processes(_on_a_rank, given, nprocs=ranks, start_method='spawn')
        texts = [Path(folder, str(rank)).read_text() for rank in range(ranks)]
    if any(text != texts[0] for text in texts):
        raise RuntimeError('ranks with equal batches hand over different messages.')
    return {
        name: (StepSizes(**sizes), [Message(**message) for message in messages])
        for name, (sizes, messages) in json.loads(texts[0]).items()
    }


def _on_a_rank(
    rank: int, paths: Sequence[tuple[str, str]], ranks: int, batch: int, folder: str
) -> None:
    import torch
    import torch.distributed as dist
    from mmengine.registry import init_default_scope

    from mochi_mm.experiments.counted_step import counted_step
    from mochi_mm.experiments.message_model import SHUFFLED

    torch.set_num_threads(1)
    init_default_scope('mochi_mm')
    where = Path(folder, 'rendezvous').as_uri()
    dist.init_process_group('gloo', init_method=where, rank=rank, world_size=ranks)
    found = {}
    for name, path in paths:
        sizes, messages = counted_step(path, batch, shuffle=name in SHUFFLED)
        found[name] = (vars(sizes), [vars(message) for message in messages])
    Path(folder, str(rank)).write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
