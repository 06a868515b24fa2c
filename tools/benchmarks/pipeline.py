"""Measure image pairs per second and core, from files to two augmented views, by recipe.

python tools/benchmarks/pipeline.py FOLDER [--images 100] [--size 224] [--workers 0]
    [--packs PACK ...] [--json OUT]
python tools/benchmarks/pipeline.py FOLDER --small [--size 32] [--no-blur]

Measures, in turns on the same files: JPEG decoding alone, which bounds them all; MoCo-v2's recipe
as torchvision's PIL classes do it; this project's exact recipe (MultiView), fast recipe
(FastMultiView), and the part of the device recipe that the CPU does (DeviceMultiView). Without
workers, seconds of one core are counted (CPU time, so that other programs disturb little). With
workers, whole loaders are timed by the clock, and the rate is divided by the number of workers.
Packs of the same folder (tools/dataset/pack.py) are measured beside the files, with the mean
difference of their views from the exact recipe on the files, in gray levels. With --small the
images, all of one size, are held in memory, and lightly's and mmpretrain's own transforms take
turns with ours where these packages are installed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder')
    parser.add_argument('--images', type=int, default=100, help='files used, evenly spaced')
    parser.add_argument('--size', type=int, help='pixels of a view; default 224, 32 with --small')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--workers', type=int, default=0)
    parser.add_argument('--packs', nargs='+', default=[], metavar='PACK')
    parser.add_argument('--small', action='store_true', help='images held in memory')
    parser.add_argument('--no-blur', action='store_true', help='with --small: as for CIFAR')
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if args.small and (args.packs or args.workers):
        parser.error(
            '--small holds images in memory, in this process; leave out --packs, --workers'
        )
    if args.no_blur and not args.small:
        parser.error('--no-blur belongs to --small')
    if args.size is None:
        args.size = 32 if args.small else 224
    if min(args.images, args.size, args.repeats) < 1 or args.workers < 0:
        raise ValueError('--images, --size and --repeats must be at least 1, --workers at least 0.')
    return args


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    import cv2
    import torch

    from mochi_mm.experiments.small_pipelines import small_recipes
    from mochi_mm.experiments.timed_pipeline import BATCH, one_pass, recipes, view_differences

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    if args.small:
        datasets, absent = small_recipes(args.folder, args.size, not args.no_blur)
        print(f'not installed, so not measured: {", ".join(absent) or "nothing"}')
    else:
        datasets = recipes(args.folder, args.size, args.packs)
    count = len(datasets['torchvision PIL'])
    step = max(1, count // args.images)
    indices = list(range(0, count, step))[: args.images]
    if len(indices) < 4 * BATCH * args.workers:
        raise ValueError(
            f'{len(indices)} images for {args.workers} workers; expected at least '
            f'{4 * BATCH * args.workers}, four batches each: give more files, --images, or fewer '
            '--workers.'
        )
    times: dict[str, list[float]] = {name: [] for name in datasets}
    for turn in range(args.repeats + 1):
        for name, dataset in datasets.items():
            elapsed = one_pass(dataset, indices, args.workers, turn)
            if turn:
                times[name].append(elapsed)
    compared = args.packs or args.small
    report(args, times, len(indices), view_differences(datasets, indices) if compared else {})


def report(
    args: argparse.Namespace,
    times: dict[str, list[float]],
    count: int,
    levels: dict[str, float],
) -> None:
    """Print pairs per second and core, and their ratio to torchvision's."""
    from mochi_mm.experiments.benchmark import machine, write_json
    from mochi_mm.experiments.small_pipelines import versions

    cores = max(1, args.workers)
    measured = {
        name: dict(best=count / min(t) / cores, median=count / median(t) / cores)
        for name, t in times.items()
    }
    base = measured['torchvision PIL']
    wide = max(18, *map(len, times))
    print(f'{"recipe":{wide}} {"pairs/s/core":>12} {"median":>8} {"x torchvision":>14} gray levels')
    for name, row in measured.items():
        row['ratio'] = row['best'] / base['best']
        row['ratio_of_medians'] = row['median'] / base['median']
        if name in levels:
            row['gray_levels'] = levels[name]
        print(
            f'{name:{wide}} {row["best"]:12.1f} {row["median"]:8.1f} {row["ratio"]:8.2f} '
            f'({row["ratio_of_medians"]:.2f}) {levels.get(name, "")}'[: wide + 50]
        )
    result = dict(
        machine=machine() | versions(), command=vars(args), images=count, measured=measured
    )
    print(result['machine'])
    write_json(args.json, result)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
