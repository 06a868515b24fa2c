"""Measure mean and standard deviation of each channel of the images below a folder.

    python tools/dataset/mean_std.py FOLDER
    python tools/dataset/mean_std.py FOLDER --channels 4 --bits 16

Over all pixels of all images, in gray levels (0 to 255), as data_preprocessor.mean and std of a
config take them. Without --channels the images are photographs and become 8-bit RGB first.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial, reduce
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', help='images at any depth below it')
    parser.add_argument('--channels', type=int, help='of every file; none for photographs')
    parser.add_argument('--bits', type=int, default=8, help='of each number, 8 to 16')
    parser.add_argument('--exclude', help='a list of images to leave out, as check.py writes it')
    parser.add_argument('--num', type=int, help='so many images, evenly spaced; default all')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1)
    parser.add_argument('--out', type=Path, help='JSON file to write as well')
    args = parser.parse_args(argv)
    for name in ('num', 'workers'):
        if (value := getattr(args, name)) is not None and value < 1:
            parser.error(f'--{name} is {value}; expected at least 1')
    return args


def main(argv: list[str] | None = None) -> None:
    """Measure, and print what a config takes."""
    args = parse_args(argv)
    import numpy as np

    from mochi_mm.datasets.channel_statistics import ChannelStatistics, statistics_of
    from mochi_mm.datasets.image_folder import ImageFolder
    from mochi_mm.datasets.packs.in_order import in_order
    from mochi_mm.files.atomic_file import write_atomically
    from mochi_mm.utils.progress import progress_bar

    images = ImageFolder(
        args.folder, classes=[], exclude=args.exclude, channels=args.channels, bits=args.bits
    )
    count = min(args.num or len(images), len(images))
    chosen = np.linspace(0, len(images) - 1, count).round().astype(int)
    paths = [images.path(int(index)) for index in chosen]
    # In the order of the files, so that the sum is the same for any number of processes.
    each = in_order(partial(statistics_of, images.reader), paths, args.workers)
    total = reduce(ChannelStatistics.joined, progress_bar(each, 'images', len(paths)))
    found = dict(
        images=total.images,
        pixels=total.pixels,
        channels=images.channels,
        bits=args.bits,
        mean=[round(value, 3) for value in total.mean.tolist()],
        std=[round(value, 3) for value in total.std.tolist()],
        smallest=[round(value, 3) for value in total.smallest.tolist()],
        largest=[round(value, 3) for value in total.largest.tolist()],
    )
    print(f'{count} of {len(images)} images, {total.pixels} pixels, in gray levels (0 to 255)')
    for name in ('smallest', 'largest'):
        print(f'{name}: {" ".join(f"{value:g}" for value in found[name])}')
    print(f'data_preprocessor=dict(mean={tuple(found["mean"])}, std={tuple(found["std"])})')
    for channel in np.flatnonzero(total.std == 0):
        print(f'channel {channel} is the same everywhere: leave it out, its std of 0 is refused')
    if args.out is not None:
        text = json.dumps(found, indent=1) + '\n'
        write_atomically(args.out, lambda file: file.write(text.encode()))


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
