"""Look through tars of images, as webdataset writes them, once: an index for PackedImages.

    python tools/dataset/index_tars.py TARS OUT
    python tools/dataset/index_tars.py /data/imagenet_tars index/imagenet --class-names names.txt

TARS holds *.tar, not compressed, with files such as 000.jpg and 000.cls (a number as text). The
tars are read in full once, and stay where they are; then
PackedImages(data_root=OUT, shards=TARS) reads any image by its number.
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
    parser.add_argument('tars', help='the folder that holds the tars')
    parser.add_argument('out', help='the index, a new folder')
    parser.add_argument('--class-names', metavar='FILE', help='line i + 1 names label i')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Index, and say what there is."""
    args = parse_args(argv)
    from mochi_mm.datasets.packs.index_tars import index_tars
    from mochi_mm.files.text_file import read_text

    names = None
    if args.class_names is not None:
        names = [line.strip() for line in read_text(args.class_names).splitlines()]
        while names and not names[-1]:
            names.pop()
    record = index_tars(args.tars, args.out, names)
    print(
        f'{args.out}: {record.images} images of {len(record.classes)} classes in '
        f'{len(record.shards)} tars, {record.bad} of them cannot be read'
    )


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
