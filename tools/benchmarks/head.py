"""Measure time and memory of MoCo-v2 and MoCHi objectives, forward and backward, direct and ours.

python tools/benchmarks/head.py [--device cuda] [--batch 256 --memory 65536 --dim 128] [--json OUT]

*Direct* is what public code does: the logits of the memory concatenated with those of the
synthetic negatives, which are gathered, mixed, normalized and multiplied as vectors. *Ours* is the
head of this project, with its statistics. Both get the same inputs and draw the same plan; the
program stops if their losses or gradients differ.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

SETTINGS = ((1024, 1024, 128), (512, 1024, 512), (256, 512, 256))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, device

    parser = ToolParser(description=__doc__)
    parser.add_argument('--device', type=device, default='cpu')
    parser.add_argument('--batch', type=int, default=256)
    parser.add_argument('--memory', type=int, default=65536)
    parser.add_argument('--dim', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument(
        '--cpu-time', action='store_true', help='seconds of the processor, not of the clock'
    )
    parser.add_argument('--settings', nargs='+', metavar='N,S,S2', help='default: three of them')
    parser.add_argument(
        '--tolerance', type=float, default=1e-5, help='of the relative difference (1e-5)'
    )
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    for name in ('batch', 'memory', 'dim', 'repeats'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name} is {getattr(args, name)}; expected at least 1.')
    args.chosen = [setting_of(text) for text in args.settings or ()] or SETTINGS
    return args


def setting_of(text: str) -> tuple[int, int, int]:
    """Return N, s and s' from ``N,s,s'``."""
    parts = text.split(',')
    if len(parts) != 3 or not all(part.isdigit() for part in parts) or int(parts[0]) < 1:
        raise ValueError(f"--settings has {text!r}; expected N,s,s' such as 1024,512,256.")
    hard, pairs, mixes = map(int, parts)
    return hard, pairs, mixes


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    import torch

    from mochi_mm.experiments.benchmark import (
        machine,
        peak_extra_bytes,
        seconds,
        summary,
        write_json,
    )
    from mochi_mm.experiments.direct_head import Run, alternatives, check_equal

    if args.device.startswith('cuda') and not torch.cuda.is_available():
        raise ValueError(f'--device is {args.device}, but torch finds no CUDA device here.')
    runs: dict[str, Run] = {}
    result: dict[str, Any] = dict(machine=machine(args.device), command=vars(args), measured={})
    for setting in (None, *args.chosen):
        name = 'MoCo-v2' if setting is None else f'MoCHi {setting}'
        difference = check_equal(alternatives(args, setting, same_ties=True), args.tolerance)
        result['measured'][name] = dict(difference=difference)
        pair = alternatives(args, setting)
        runs.update({f'{name}/{way}': run for way, run in pair.items()})
    clock = time.process_time if args.cpu_time else time.perf_counter
    times = seconds(runs, args.repeats, args.device, clock)
    for key, run in runs.items():
        name, way = key.rsplit('/', 1)
        memory = peak_extra_bytes(run, args.device)
        result['measured'][name][way] = dict(summary(times[key]), peak_bytes=memory)
    report(result['measured'])
    print(result['machine'])
    write_json(args.json, result)


def report(measured: dict[str, Any]) -> None:
    """Print the table, and what MoCHi costs beyond MoCo-v2; adds these ratios to ``measured``."""
    print(f'{"head":24} {"way":8} {"fastest ms":>10} {"median ms":>10} {"peak MB":>9}')
    plain = measured['MoCo-v2']
    for name, ways in measured.items():
        for way in ('direct', 'ours'):
            row = ways[way]
            numbers = (1e3 * row['fastest'], 1e3 * row['median'], row['peak_bytes'] / 2**20)
            print(f'{name:24} {way:8} {numbers[0]:10.1f} {numbers[1]:10.1f} {numbers[2]:9.1f}')
    for name, ways in measured.items():
        if name == 'MoCo-v2':
            continue
        extra = {
            field: {way: ways[way][field] - plain[way][field] for way in ('direct', 'ours')}
            for field in ('fastest', 'median', 'peak_bytes')
        }
        ways['beyond_moco_v2'] = {k: _share(v['ours'], v['direct']) for k, v in extra.items()}
        # The strict reading: everything that ours takes beyond the plain direct MoCo-v2 head.
        strict = ways['ours']['fastest'] - plain['direct']['fastest']
        ways['beyond_direct_moco_v2'] = _share(strict, extra['fastest']['direct'])
        shares = [*ways['beyond_moco_v2'].values(), ways['beyond_direct_moco_v2']]
        time, median, memory, whole = ('-' if s is None else f'{s:.3f}' for s in shares)
        print(
            f'{name}: beyond MoCo-v2, ours / direct: time {time} (median {median}), memory '
            f'{memory}; beyond the direct MoCo-v2 head: time {whole}'
        )


def _share(ours: float, direct: float) -> float | None:
    """Return one as a share of the other, None where that is 0, as on toy sizes."""
    return ours / direct if direct else None


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
