"""Measure everything that needs a GPU, within minutes: one command on any CUDA machine.

python tools/benchmarks/gpu.py --data PACKS --out DIR [--minutes 9] [--photographs FOLDER]
python tools/benchmarks/gpu.py --tiny --out DIR       rehearse on the CPU; figures mean nothing

PACKS holds CIFAR-10 as the packs train and val; tools/benchmarks/gpu_bundle.sh gathers them. Stages
run in the order of their value, each bounded in time and in processes of its own, each of which
writes DIR/NAME.json as soon as it knows something, and DIR/NAME.log. One that fails or is late
stops no other. The training comes last and takes the time that is left: MoCo-v2 and MoCHi, all
seeds side by side, kNN at the end. DIR/summary.json says after each stage how it ended, and the
figures that the goals ask for. Exit code: 0, or 1 where a stage failed, was late or had no time.
docs/performance.md says how to read it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

#: Seconds under which no stage is begun.
LEAST = 5.0


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='a new folder, or an empty one')
    parser.add_argument('--minutes', type=float, default=9.0, help='for all of it (9)')
    parser.add_argument('--data', type=Path, help='folder of the packs train and val of CIFAR-10')
    parser.add_argument('--photographs', type=Path, help='JPEG files to read; else some made up')
    parser.add_argument(
        '--batch', type=int, default=256, help='of a ResNet-50 step, the head (256)'
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1], help='of the training')
    parser.add_argument('--stages', nargs='+', help='some of them, by name (all)')
    parser.add_argument('--tiny', action='store_true', help='rehearse on the CPU')
    args = parser.parse_args(argv)
    if args.batch < 1:
        raise ValueError(f'--batch is {args.batch}; expected at least 1, such as 256.')
    if args.minutes <= 0:
        raise ValueError(f'--minutes is {args.minutes}; expected more than 0, such as 9.')
    if len(set(args.seeds)) < len(args.seeds) or min(args.seeds) < 0:
        raise ValueError(f'--seeds are {args.seeds}; expected different numbers from 0 on.')
    if not args.tiny and args.data is None:
        raise ValueError(
            '--data is missing; expected the folder of the packs train and val of CIFAR-10, as '
            'tools/dataset/pack.py makes them. Without data there is --tiny, a rehearsal.'
        )
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise ValueError(f'--out is {args.out}, which holds something; expected a new folder.')
    return args


def settings_of(args: argparse.Namespace) -> Any:
    """Return the settings of the stages.

    Raises:
        ValueError: No CUDA device, for anything but a rehearsal.
        FileNotFoundError: No packs at ``--data``, or no folder of photographs.
    """
    import torch

    from mochi_mm.experiments.on_device.stages import Settings

    if not args.tiny and not torch.cuda.is_available():
        raise ValueError(
            'torch finds no CUDA device here; expected one, or --tiny, which rehearses on the CPU.'
        )
    wanted = [] if args.data is None else [args.data / 'train', args.data / 'val']
    for folder in [*wanted, *([args.photographs] if args.photographs else [])]:
        if not folder.is_dir():
            raise FileNotFoundError(f'{folder} is no folder; expected what --help describes.')
    cores = len(os.sched_getaffinity(0))
    return Settings(
        device='cpu' if args.tiny else 'cuda',
        out=args.out.absolute(),
        data=args.data.absolute() if args.data else None,
        photographs=args.photographs.absolute() if args.photographs else None,
        batch=args.batch,
        seeds=tuple(args.seeds),
        workers=0 if args.tiny else max(1, min(16, cores - 1)),
        tiny=args.tiny,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the stages; return the exit status."""
    args = parse_args(argv)
    start = time.monotonic()
    deadline = start + 60 * args.minutes
    from mochi_mm.experiments.on_device.job import run_jobs, way_to_start
    from mochi_mm.experiments.on_device.stages import TRAIN, stages, training

    if args.tiny:
        os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
    settings = settings_of(args)
    planned = stages(settings)
    names = [*(stage.name for stage in planned), TRAIN]
    if unknown := sorted(set(args.stages or ()) - set(names)):
        raise KeyError(f'--stages has {", ".join(unknown)}; expected some of {", ".join(names)}.')
    args.out.mkdir(parents=True, exist_ok=True)
    way = 'forkserver' if args.tiny else way_to_start()
    ended: dict[str, Any] = {}
    for name in [name for name in names if name in (args.stages or names)]:
        left = deadline - time.monotonic()
        made = {stage.name: stage for stage in planned}.get(name) or training(settings, left)
        if made is None or left < LEAST:
            why = 'no time' if left < LEAST else 'no epoch was measured, or none fits'
            ended[name] = {name: dict(state='left out', why=why)}
        else:
            ended[name] = run_jobs(made.jobs, settings.out, min(made.seconds, left), way)
        told(args, ended, start)
    return int(any(job['state'] != 'done' for jobs in ended.values() for job in jobs.values()))


def told(args: argparse.Namespace, ended: dict[str, Any], start: float) -> None:
    """Write the summary, and print how the last stage ended."""
    from mochi_mm.experiments.benchmark import write_json
    from mochi_mm.experiments.on_device.stages import figures

    found = dict(
        rehearsal=args.tiny,
        minutes=args.minutes,
        batch=args.batch,
        seconds=round(time.monotonic() - start, 1),
        stages=ended,
        figures=figures(args.out),
    )
    write_json(args.out / 'summary.json', found)
    stage = list(ended)[-1]
    for name, job in ended[stage].items():
        rest = job.get('why') or f'{job["seconds"]} s'
        print(f'{time.monotonic() - start:6.1f} s  {name}: {job["state"]} ({rest})', flush=True)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    # An end from outside ends the jobs as well, which have sessions of their own.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    run_tool(lambda: sys.exit(main()))
