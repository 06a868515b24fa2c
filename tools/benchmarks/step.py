"""Time the parts of a MoCo or MoCHi training step, and name the largest.

python tools/benchmarks/step.py CONFIG [--batch 32] [--size 224] [--data] [--plain] [--json OUT]

Runs the parts of a step one after the other, by the clock: data, query forward, key encoder, head,
backward, optimizer, averaged encoder. Images are random unless --data takes them from the loader of
the config. --plain adds the same operations without this project's measures: channels-first
convolutions, optimizer and average one tensor at a time and, on a CPU, memory that goes back to the
system when it is freed. That is why its steps come first. --compile compiles the backbones; --flops
adds the floating-point operations of a step. --cfg-options as everywhere.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, device

    parser = ToolParser(description=__doc__)
    parser.add_config()
    parser.add_argument('--device', type=device, default='cpu')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--size', type=int, default=224, help='pixels of a random image')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--data', action='store_true', help="take the config's images")
    parser.add_argument('--plain', action='store_true', help='add the plain sequence')
    parser.add_argument('--amp', action='store_true', help='encoders in bfloat16')
    parser.add_argument('--compile', action='store_true', help='compile the backbones; not plain')
    parser.add_argument('--flops', action='store_true', help='count operations of a step')
    parser.add_cfg_options()
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if min(args.batch, args.size, args.repeats) < 1:
        raise ValueError('--batch, --size and --repeats must be at least 1.')
    return args


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    from mmengine.registry import init_default_scope

    from mochi_mm.engine.freed_memory import keep_freed_memory
    from mochi_mm.experiments.benchmark import machine, write_json
    from mochi_mm.experiments.timed_step import TimedStep
    from mochi_mm.launch.config import load_config, parse_options

    config = load_config(args.config, parse_options(args.cfg_options))
    init_default_scope('mochi_mm')
    kind = config.get('model', {}).get('type')
    if kind != 'MoCo':
        raise ValueError(
            f'{args.config} trains {kind}; expected a config whose model is a MoCo, such as those '
            'of configs/mocov2, configs/mochi and configs/synco.'
        )
    steps = {}
    for name in (['plain'] if args.plain else []) + ['ours']:
        if name == 'ours' and args.device == 'cpu':
            keep_freed_memory()
        steps[name] = TimedStep(args, config, plain=name == 'plain')
        for _ in range(args.repeats + 1):  # the first warms up
            steps[name].run()
    result: dict[str, Any] = dict(machine=machine(args.device), command=vars(args), measured={})
    for name, step in steps.items():
        parts = {part: median(times[1:]) for part, times in step.times.items()}
        whole = [sum(each) for each in list(zip(*step.times.values(), strict=True))[1:]]
        result['measured'][name] = dict(
            parts=parts,
            step=median(whole),
            fastest=min(whole),
            images_per_second=args.batch / median(whole),
        )
        if args.flops:
            operations = step.flops()
            result['measured'][name].update(
                flops=operations, flops_per_second=operations / median(whole)
            )
    report(result['measured'])
    print(result['machine'])
    write_json(args.json, result)


def report(measured: dict[str, Any]) -> None:
    """Print the parts of each step, and the largest."""
    for name, row in measured.items():
        largest = max(row['parts'], key=row['parts'].get)
        print(f'{name}: {1e3 * row["step"]:.0f} ms, {row["images_per_second"]:.1f} images/s')
        for part, value in row['parts'].items():
            mark = '  <- largest' if part == largest else ''
            print(f'  {part:14} {1e3 * value:9.1f} ms {100 * value / row["step"]:5.1f} %{mark}')
    if 'plain' in measured:
        plain, ours = measured['plain'], measured['ours']
        ours['speed_up'] = plain['step'] / ours['step']
        ours['speed_up_of_fastest'] = plain['fastest'] / ours['fastest']
        fastest = ours['speed_up_of_fastest']
        print(f'plain / ours: {ours["speed_up"]:.3f} (fastest steps {fastest:.3f})')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
