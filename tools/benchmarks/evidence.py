"""What MoCHi does on real images: MoCo-v2, three MoCHi settings and the class oracle of both.

    python tools/benchmarks/evidence.py [--suite cpu] [--jobs 2] [--record results/measured]

Same network, data, budget and seeds for all; the untrained network beside them. Writes to --out:
table.md and results.json (mean and spread of every figure, and what they say about the paper's
claims), curves_*.png, and report_*.html with the settings of one seed side by side. cpu trains a
quarter-width ResNet-10 for 10 epochs on 1,500 CIFAR-10 images of each class, 580 steps; cuda a
ResNet-18 for 200 epochs on CIFAR-10 and on 100 classes of Tiny ImageNet. Each run is a process of
its own. Call it again to go on where it stopped: finished runs are kept, others go on from their
checkpoints. Seeds that an earlier call started belong to the sweep. A run that fails is named in
the table, stops no other, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--suite', choices=('cpu', 'cuda'), default='cpu')
    parser.add_argument(
        '--data-root',
        type=Path,
        default=Path('data'),
        help='folder that holds cifar10 and, for cuda, tiny_imagenet100 (data)',
    )
    parser.add_argument('--out', type=Path, help='default: work_dirs/evidence/SUITE')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='(0 1 2)')
    parser.add_argument('--epochs', type=int, help="instead of the suite's")
    parser.add_argument(
        '--images-per-class', type=int, help="trained on, instead of the suite's; cuda takes all"
    )
    parser.add_argument('--settings', nargs='+', default=[], help='some settings, by name (all)')
    parser.add_argument('--device', help='cpu, cuda or cuda:N (as the suite is called)')
    parser.add_argument('--jobs', type=int, default=1, help='runs side by side (1)')
    parser.add_argument('--threads', type=int, default=1, help='of each run on the CPU (1)')
    parser.add_argument(
        '--record', type=Path, help='folder for records of the figures, such as results/measured'
    )
    args = parser.parse_args(argv)
    for name in ('epochs', 'images_per_class', 'jobs', 'threads'):
        value = getattr(args, name)
        if value is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} is {value}; expected at least 1')
    if len(set(args.seeds)) < len(args.seeds) or min(args.seeds) < 0:
        parser.error(f'--seeds are {args.seeds}; expected different numbers from 0 on')
    args.out = (args.out or Path('work_dirs/evidence') / args.suite).absolute()
    args.device = args.device or args.suite
    return args


def plan(args: argparse.Namespace) -> tuple[Any, list[Any], list[int]]:
    """Return the sweep, its runs and its seeds.

    Raises:
        ValueError: A setting that the suite has not.
    """
    from mochi_mm.experiments.suites import SUITES
    from mochi_mm.experiments.sweep import Sweep

    suite = SUITES[args.suite]
    known = list(dict.fromkeys(s.name for of_data in suite.data.values() for s in of_data))
    if unknown := [name for name in args.settings if name not in known]:
        raise ValueError(f'--settings {unknown[0]}: {args.suite} has {", ".join(known)}.')
    sweep = Sweep(
        args.suite,
        args.out,
        args.data_root.absolute(),
        args.epochs or suite.epochs,
        args.images_per_class or suite.images_per_class,
    )
    sweep.prepare()
    seeds = sorted({*args.seeds, *sweep.seeds_on_disk()})
    return sweep, list(sweep.runs(args.settings, seeds)), seeds


def environment(device: str, threads: int) -> dict[str, str]:
    """Return the environment of a run.

    Raises:
        ValueError: A CUDA device is asked for and there is none.
    """
    import torch

    found = dict(os.environ)
    if device == 'cpu':
        return dict(found, CUDA_VISIBLE_DEVICES='-1', OMP_NUM_THREADS=str(threads))
    kind, _, number = device.partition(':')
    if kind != 'cuda' or not torch.cuda.is_available():
        raise ValueError(
            f'--device is {device} and torch finds {torch.cuda.device_count()} CUDA devices; '
            'expected cpu, or cuda where there is one.'
        )
    return dict(found, CUDA_VISIBLE_DEVICES=number) if number else found


def command(sweep: Any, run: Any) -> list[str]:
    """Return the words that do one run."""
    words = [sys.executable, str(ROOT / 'tools/benchmarks/evidence_run.py')]
    words += ['--suite', sweep.suite, '--data', run.data, '--setting', run.setting.name]
    words += ['--seed', str(run.seed), '--epochs', str(sweep.epochs)]
    if sweep.images_per_class is not None:
        words += ['--images-per-class', str(sweep.images_per_class)]
    return [*words, '--data-root', str(sweep.data_root), '--out', str(sweep.out)]


def do_runs(args: argparse.Namespace, sweep: Any, runs: Sequence[Any], seeds: Any) -> None:
    """Do what is not done yet; the tables are written anew after each run."""
    from mochi_mm.experiments.outputs import write_tables
    from mochi_mm.experiments.side_by_side import Task, run_side_by_side

    failed: dict[str, int] = {}

    def finished(task: Any, code: int) -> None:
        if code != 0:
            failed[task.name] = code
        write_tables(sweep, runs, seeds, failed)

    tasks = [
        Task(run.name, command(sweep, run), run.folder / 'output.log', run.work, run.done)
        for run in runs
        if run.result() is None
    ]
    print(f'{len(runs) - len(tasks)} of {len(runs)} runs are done already', flush=True)
    run_side_by_side(
        tasks,
        args.jobs,
        environment(args.device, args.threads),
        lambda line: print(line, flush=True),
        finished,
    )
    print(write_tables(sweep, runs, seeds, failed), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the sweep; return the exit status."""
    args = parse_args(argv)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    from mochi_mm.experiments.outputs import write_pictures, write_records

    sweep, runs, seeds = plan(args)
    do_runs(args, sweep, runs, seeds)
    missing = [run.name for run in runs if run.result() is None]
    for path in write_pictures(sweep, runs):
        print(f'{path} written')
    if args.record is not None and not missing:
        for path in write_records(args.record, sweep, runs, seeds):
            print(f'{path} written')
    for name in missing:
        print(f'not finished: {name}', file=sys.stderr)
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main())
