"""Compare the numbers of three training steps of pre-training configs on the CPU and on a device.

python tools/benchmarks/device_steps.py --device cuda --json OUT [--part 1/4] [CONFIG ...]

The steps are those of reference_steps.py, with encoders in float64: heads, mixers, memories and
view editors work in float32, as in training. Both devices start from the same weights and get the
same batches and draws. OUT is written anew after each config: the largest relative difference, and
which numbers differ most. A config that fails is noted, and stops no other; then, or beyond
--tolerance, the exit status is 1. Shares and accuracies count queries, and one may fall on the
other side where two cosines are nearly equal: those that differ are listed, and fail nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('configs', nargs='*', metavar='CONFIG', help='default: all that pre-train')
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--tolerance', type=float, default=1e-4)
    parser.add_argument('--part', type=part_of, default=(1, 1), metavar='I/N', help='such as 1/4')
    parser.add_argument('--json', required=True, metavar='OUT')
    return parser.parse_args(argv)


#: How names of statistics begin that count queries.
COUNTS = ('acc_', 'share_', 'precision_', 'recall_')


def part_of(text: str) -> tuple[int, int]:
    """Return the part and the number of parts of ``I/N``."""
    words = text.split('/')
    if len(words) != 2 or not all(word.isdigit() for word in words):
        raise argparse.ArgumentTypeError(f'{text!r}; expected a part such as 1/4')
    part, parts = map(int, words)
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(f'{text!r}; expected 1/{parts} to {parts}/{parts}')
    return part, parts


def one_of_each(names: Sequence[str]) -> list[str]:
    """Return the configs in an order in which every folder comes before any comes again."""
    before: dict[str, int] = {}
    turns = []
    for name in names:
        folder = str(Path(name).parent)
        before[folder] = before.get(folder, 0) + 1
        turns.append((before[folder], name))
    return [name for _, name in sorted(turns, key=lambda turn: turn[0])]


def take_counts(record: dict[str, Any]) -> dict[str, str]:
    """Take what counts queries out of the steps of a record; return it, by step and name."""
    found = {}
    for number, step in enumerate(record['steps'], 1):
        for key in [key for key in step['values'] if key.startswith(COUNTS)]:
            found[f'step {number}, {key}'] = step['values'].pop(key)['decimal']
    return found


def compared(name: str, device: str) -> dict[str, Any]:
    """Return the differences of one config; of one that fails, how."""
    import reference_steps

    from mochi_mm.experiments.on_device.draws_on_host import DrawsOnHost, HostStepKey
    from mochi_mm.experiments.record_difference import differences

    start = time.perf_counter()
    try:
        former = reference_steps.steps_of(name, 'float64', key=HostStepKey)
        with DrawsOnHost():
            now = reference_steps.steps_of(name, 'float64', device, HostStepKey)
        counts = [take_counts(record) for record in (former, now)]
        found = differences(former, now)
    except Exception as error:  # noqa: BLE001  whatever a device does not have
        traceback.print_exc()
        return dict(failed=f'{type(error).__name__}: {error}')
    seconds = round(time.perf_counter() - start, 2)
    other = {key: [each.get(key) for each in counts] for key in counts[0] | counts[1]}
    return dict(
        largest=found.largest,
        where=found.bits,
        names=found.names,
        counts={key: pair for key, pair in other.items() if pair[0] != pair[1]},
        seconds=seconds,
    )


def main(argv: list[str] | None = None) -> int:
    """Compare and write; return the exit status."""
    args = parse_args(argv)
    import reference_steps
    import torch
    from mmengine.logging import MMLogger
    from mmengine.registry import init_default_scope

    from mochi_mm.experiments.benchmark import machine, write_json

    if args.device.startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'--device is {args.device}, but torch finds no CUDA device here.')
    init_default_scope('mochi_mm')
    MMLogger.get_current_instance().setLevel('WARNING')  # it lists every initialized weight
    torch.set_num_threads(1)
    named = [reference_steps.name_of(name) for name in args.configs]
    part, parts = args.part
    names = one_of_each(named or reference_steps.pretraining_configs())[part - 1 :: parts]
    found: dict[str, Any] = {}
    result = dict(machine=machine(args.device), tolerance=args.tolerance, configs=found)
    for name in names:
        found[name] = row = compared(name, args.device)
        write_json(args.json, dict(result, left=len(names) - len(found)))
        print(f'{name}: {row.get("failed") or row["largest"]}', flush=True)
    good = [row for row in found.values() if row.get('largest', float('inf')) <= args.tolerance]
    print(f'{len(good)} of {len(found)} configs within {args.tolerance:.0e}')
    return int(len(good) < len(found))


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
