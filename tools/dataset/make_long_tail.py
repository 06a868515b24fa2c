"""Draw the long tail of a folder of images, as a list for ImageFolder(include=...).

    python tools/dataset/make_long_tail.py FOLDER --factor FACTOR --out FILE
    python tools/dataset/make_long_tail.py data/cifar10/train --factor 0.01 \\
        --out data/cifar10/train_lt001.txt

The classes c = 0 to C - 1, in the order of their names, keep n_0 x factor^(c / (C - 1)) images,
rounded down, with n_0 those of the smallest class: the counts of CIFAR-10-LT and CIFAR-100-LT. What
tables call an imbalance of 100 is the factor 0.01. The images are those that the data set LongTail
takes of the same folder, factor and seed.
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
    parser.add_argument('--factor', type=float, required=True, help='last class over the first')
    parser.add_argument('--seed', type=seed, default=0, help='0 in the field')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Draw, write, and say how many of each class and the SHA-256 of the list."""
    args = parse_args(argv)
    import numpy as np
    from torchvision.datasets.folder import IMG_EXTENSIONS

    from mochi_mm.datasets.class_folders import class_names, tell_left_out
    from mochi_mm.datasets.folder_index import FolderIndex
    from mochi_mm.datasets.long_tail_counts import long_tail_rows
    from mochi_mm.datasets.path_list import write_paths

    if not Path(args.folder).is_dir():
        raise FileNotFoundError(
            f'no folder {args.folder}; expected one with a folder for each class.'
        )
    index = FolderIndex.scan(args.folder, IMG_EXTENSIONS)
    paths, classes = index.paths(), class_names(index)
    tell_left_out(index)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number.get(path.split('/', 1)[0], -1) for path in paths], dtype=np.int64)
    rows = long_tail_rows(labels, len(classes), args.factor, args.seed)
    sha256 = write_paths(args.out, (paths[row] for row in rows))
    counts = np.bincount(labels[rows], minlength=len(classes))
    print(
        f'{args.out}: {len(rows)} of {len(paths)} images of {len(classes)} classes, {counts[0]} of '
        f'{classes[0]} to {counts[-1]} of {classes[-1]}, seed {args.seed}, SHA-256 {sha256}'
    )


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
