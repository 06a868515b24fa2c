"""Draw a class-balanced subset of a folder of images, as a list for ImageFolder(include=...).

    python tools/dataset/make_subset.py FOLDER --share SHARE --out FILE
    python tools/dataset/make_subset.py data/imagenet/train --share 0.01 \\
        --out data/imagenet/train_1percent.txt

The same seed and the same file names give the same list on any machine, and its 1 % is part of its
10 %. Each class gets the same number of images: share x images / classes, rounded, at least one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', help='class folders with images')
    parser.add_argument('--out', type=file_to_write, required=True, help='the list to write')
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument('--share', type=float, help='of all images, such as 0.01')
    size.add_argument('--per-class', type=int, help='images of each class')
    parser.add_argument('--seed', type=seed, default=0)
    args = parser.parse_args(argv)
    if args.share is not None and not 0 < args.share <= 1:
        parser.error(f'--share is {args.share}; expected more than 0 and at most 1')
    return args


def main(argv: list[str] | None = None) -> None:
    """Draw, write, and say how many and the SHA-256 of the list."""
    args = parse_args(argv)
    from torchvision.datasets.folder import IMG_EXTENSIONS

    from mochi_mm.datasets.class_folders import class_names, tell_left_out
    from mochi_mm.datasets.folder_index import FolderIndex
    from mochi_mm.datasets.path_list import write_paths
    from mochi_mm.datasets.subset import balanced_subset

    if not Path(args.folder).is_dir():
        raise FileNotFoundError(
            f'no folder {args.folder}; expected one with a folder for each class.'
        )
    index = FolderIndex.scan(args.folder, IMG_EXTENSIONS)
    paths, classes = index.paths(), len(class_names(index))
    tell_left_out(index)
    count = args.per_class
    if count is None:
        count = max(1, round(args.share * len(paths) / max(1, classes)))
    chosen = balanced_subset(paths, count, args.seed)
    sha256 = write_paths(args.out, chosen)
    print(
        f'{args.out}: {len(chosen)} of {len(paths)} images, {count} of each of {classes} classes, '
        f'seed {args.seed}, SHA-256 {sha256}'
    )


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
