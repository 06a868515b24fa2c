"""Write the images of CIFAR-10 or CIFAR-100 into class folders, from their archive for Python.

    python tools/dataset/cifar_folders.py ARCHIVE OUT
    python tools/dataset/cifar_folders.py cifar-10-python.tar.gz data/cifar10
    python tools/dataset/cifar_folders.py data/cifar-100-python data/cifar100

ARCHIVE is cifar-10-python.tar.gz, cifar-100-python.tar.gz (torchvision's download=True leaves it
beside the unpacked folder) or that folder. OUT/train/<class>/ and OUT/val/<class>/ get PNG files,
as the configs expect them. The archives are pickles; they are read without running what a pickle
may hold.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('archive', type=Path, metavar='ARCHIVE')
    parser.add_argument('out', type=Path, metavar='OUT')
    parser.add_argument('--overwrite', action='store_true', help='replace the folder')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Write beside OUT, then move it into place, so that it is whole or absent."""
    args = parse_args(argv)
    from PIL import Image

    from mochi_mm.datasets.cifar_archive import CifarArchive
    from mochi_mm.files.new_folder import new_folder
    from mochi_mm.utils.progress import progress_bar

    archive = CifarArchive(args.archive)
    counts = {}
    with new_folder(args.out, args.overwrite) as folder:
        for split in archive.layout.splits:
            for name in archive.classes:
                (folder / split / name).mkdir(parents=True)
            images = list(archive.images(split))
            for number, (name, pixels) in enumerate(progress_bar(images, split, len(images))):
                Image.fromarray(pixels).save(folder / split / name / f'{number:05d}.png')
            counts[split] = len(images)
    sizes = ', '.join(f'{count} in {split}/' for split, count in counts.items())
    print(f'{args.out}: {sizes}, {len(archive.classes)} classes each')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
