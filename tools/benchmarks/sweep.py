"""Train several settings with several seeds at one budget; write their table and findings.

    python tools/benchmarks/sweep.py --list
    python tools/benchmarks/sweep.py evidence_cpu [--jobs 2] [--record results/measured]

A suite says what is trained, on what, with which seeds, and what is measured; it is a file of
mochi_mm/experiments/suites/. Each run is a process of its own. Written to --out, anew after each
run: table.md and results.json (mean and spread of every figure, the differences between settings
seed by seed, and sentences on what they show); at the end, where the suite has them, curves_*.png
and report_*.html. Call it again to go on where it stopped: finished runs are kept, others go on
from their checkpoints. Seeds that an earlier call started belong to the sweep. A run that fails is
named in the table, stops no other, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

#: What may differ from the suite, and how it is called there.
BUDGET = ('epochs', 'images_per_class', 'queries_per_class')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, device

    parser = ToolParser(description=__doc__)
    parser.add_argument('suite', nargs='?', help='its name, see --list')
    parser.add_argument('--list', action='store_true', help='name the suites, and stop')
    parser.add_argument('--jobs', type=int, default=1, help='runs side by side (1)')
    parser.add_argument('--threads', type=int, default=1, help='of each run on the CPU (1)')
    parser.add_argument('--seeds', type=int, nargs='+', help="instead of the suite's")
    parser.add_argument('--settings', nargs='+', default=[], help='some settings, by name (all)')
    parser.add_argument('--out', type=Path, help='default: work_dirs/sweeps/SUITE')
    parser.add_argument(
        '--data-root',
        type=Path,
        default=Path('data'),
        help='folder that holds the data sets, such as cifar10 (data)',
    )
    parser.add_argument(
        '--record', type=Path, help='folder for records of the figures, such as results/measured'
    )
    parser.add_argument('--epochs', type=int, help="instead of the suite's")
    parser.add_argument('--images-per-class', type=int, help="trained on, instead of the suite's")
    parser.add_argument('--queries-per-class', type=int, help='classified, likewise')
    parser.add_argument('--device', type=device, help="cpu, cuda or cuda:N (the suite's)")
    parser.add_argument('--alone', help=argparse.SUPPRESS)  # one run, in this process
    args = parser.parse_args(argv)
    if not args.suite and not args.list:
        parser.error('which suite? --list names them')
    for name in ('jobs', 'threads', *BUDGET):
        if (value := getattr(args, name)) is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} is {value}; expected at least 1')
    if args.seeds and (len(set(args.seeds)) < len(args.seeds) or min(args.seeds) < 0):
        parser.error(f'--seeds are {args.seeds}; expected different numbers from 0 on')
    return args


def make_sweep(args: argparse.Namespace) -> Any:
    """Return the sweep that the command line asks for.

    Raises:
        KeyError: No such suite.
    """
    from mochi_mm.experiments.suites import read_suite
    from mochi_mm.experiments.sweep import Sweep

    suite = read_suite(args.suite)
    images = replace(
        suite.images,
        per_class=args.images_per_class or suite.images.per_class,
        queries_per_class=args.queries_per_class or suite.images.queries_per_class,
    )
    suite = replace(suite, epochs=args.epochs or suite.epochs, images=images)
    out = args.out or Path('work_dirs/sweeps') / args.suite
    return Sweep(args.suite, suite, ROOT, out.absolute(), args.data_root.absolute())


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


def asked(args: argparse.Namespace) -> list[str]:
    """Return the words that ask for the suite and the budget."""
    words = [args.suite]
    for name in BUDGET:
        if (value := getattr(args, name)) is not None:
            words += [f'--{name.replace("_", "-")}', str(value)]
    return words


def command(args: argparse.Namespace, run: Any) -> list[str]:
    """Return the words that do one run."""
    words = [sys.executable, __file__, *asked(args), '--alone', run.name]
    return [*words, '--data-root', str(run.sweep.data_root), '--out', str(run.sweep.out)]


def repeat(args: argparse.Namespace, seeds: Sequence[int]) -> str:
    """Return the command that repeats the sweep, for its records."""
    words = ['python', 'tools/benchmarks/sweep.py', *asked(args)]
    words += ['--threads', str(args.threads)] if args.threads > 1 else []
    words += ['--device', args.device] if args.device else []
    return shlex.join([*words, '--seeds', *map(str, seeds)])


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
        Task(
            run.name,
            command(args, run),
            run.folder / 'output.log',
            run.work,
            run.done,
            after=run.start.name if run.start else '',
        )
        for run in runs
        if run.result() is None
    ]
    print(f'{len(runs) - len(tasks)} of {len(runs)} runs are done already', flush=True)
    run_side_by_side(
        tasks,
        args.jobs,
        environment(args.device or sweep.suite.device, args.threads),
        lambda line: print(line, flush=True),
        finished,
    )
    print(write_tables(sweep, runs, seeds, failed), flush=True)


def do_one(sweep: Any, name: str) -> None:
    """Do one run in this process."""
    from mochi_mm.experiments.run_one import run_one

    seed = int(name.rsplit(' ', 1)[1])
    (run,) = (run for run in sweep.runs([], [seed]) if run.name == name)
    run_one(run)


def main(argv: list[str] | None = None) -> int:
    """Run the sweep; return the exit status."""
    args = parse_args(argv)
    from mochi_mm.experiments.suites import suite_names

    if args.list:
        for name, words in suite_names().items():
            print(f'{name:20s} {words}')
        return 0
    sweep = make_sweep(args)
    if args.alone:
        do_one(sweep, args.alone)
        return 0
    from mochi_mm.experiments.records import check_seeds, other_origins

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sweep.runs(args.settings, [])  # a name that is none is said before anything is written
    sweep.prepare()
    seeds = sorted({*(args.seeds or sweep.suite.seeds), *sweep.seeds_on_disk()})
    runs = sweep.runs(args.settings, seeds)
    if args.record is not None:
        check_seeds(sweep, seeds)  # now: not when hours have passed
    if strangers := other_origins(runs):
        if args.record is not None:
            raise ValueError(f'--record: {strangers}')
        print(f'No record of these runs could be made: {strangers}', flush=True)
    do_runs(args, sweep, runs, seeds)
    return finish(args, sweep, runs, seeds)


def finish(args: argparse.Namespace, sweep: Any, runs: Sequence[Any], seeds: Sequence[int]) -> int:
    """Write records and pictures; return the exit status, 1 where a run is missing."""
    from mochi_mm.experiments.outputs import write_pictures
    from mochi_mm.experiments.records import write_records

    written = []
    if args.record is not None:
        written += write_records(args.record, sweep, runs, seeds, repeat(args, seeds))
    written += write_pictures(sweep, runs)
    for path in written:
        print(f'{path} written')
    missing = [run.name for run in runs if run.result() is None]
    for name in missing:
        print(f'not finished: {name}', file=sys.stderr)
    return 1 if missing else 0


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
