"""Pack a folder of images into a few large files, for PackedImages: faster to read, easy to move.

    python tools/dataset/pack.py FOLDER OUT
    python tools/dataset/pack.py data/imagenet/train packs/imagenet/train
    python tools/dataset/pack.py --check packs/imagenet/train

Encodes each image anew as JPEG (--short-side 320 --quality 90 --chroma 4:2:0), keeps pixels (--raw)
or the files (--as-they-are). After a kill the same command goes on and ends in the same bytes; OUT
has its name only when it is whole. Files that cannot be read are kept as they are and listed in
OUT/exclude.txt and OUT/bad.csv. --check compares every file of a pack with its SHA-256.
Exit code: 0 done, 2 a mistake, or a pack that does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', nargs='?', help='images, with or without class folders')
    parser.add_argument('out', nargs='?', help='the pack, a new folder')
    parser.add_argument('--check', metavar='PACK', help='look at every byte of a pack instead')
    parser.add_argument('--shards', metavar='FOLDER', help='with --check: where the tars lie')
    parser.add_argument(
        '--short-side', type=int, help='pixels of the shorter side, 0 as it is; default 320'
    )
    parser.add_argument('--quality', type=int, help='of JPEG, 1 to 100; default 90')
    parser.add_argument('--chroma', help='of JPEG: 4:4:4, 4:2:2 or 4:2:0, the default')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument('--raw', action='store_true', help='8-bit RGB pixels instead of JPEG')
    kind.add_argument('--as-they-are', action='store_true', help='the bytes of the files')
    parser.add_argument('--classes', help='a list of class folders, as ImageFolder takes it')
    parser.add_argument('--no-labels', action='store_true', help='all images, without classes')
    parser.add_argument('--exclude', help='a list of images to leave out')
    parser.add_argument('--include', help='a list of the only images to take')
    parser.add_argument(
        '--channels', type=int, help='of every file, with --as-they-are: images that are no RGB'
    )
    parser.add_argument('--bits', type=int, default=8, help='of each number, with --channels')
    parser.add_argument('--shard-images', type=int, help='images a file; default 4096')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1)
    args = parser.parse_args(argv)
    if (args.check is None) == (args.folder is None or args.out is None):
        parser.error('expected FOLDER and OUT, or --check PACK')
    if args.check is not None and args.folder is not None:
        parser.error(f'--check looks at {args.check} alone; leave out {args.folder}')
    if args.shards is not None and args.check is None:
        parser.error('--shards belongs to --check; a pack has its shards within')
    if args.classes is not None and args.no_labels:
        parser.error('--classes and --no-labels exclude each other')
    return args


def main(argv: list[str] | None = None) -> None:
    """Pack or check, and say what there is."""
    args = parse_args(argv)
    if args.check is not None:
        from mochi_mm.datasets.packs.check_pack import check_pack

        pack = check_pack(args.check, args.shards)
        print(f'{pack.folder}: {len(pack)} images in {len(pack.record.shards)} shards, as packed')
        return
    from mochi_mm.datasets.image_folder import ImageFolder
    from mochi_mm.datasets.packs.pack_options import PackOptions
    from mochi_mm.datasets.packs.pack_writer import SHARD_IMAGES, PackWriter

    kind = 'raw' if args.raw else 'as they are' if args.as_they_are else 'jpeg'
    options = PackOptions.of(kind, args.short_side, args.quality, args.chroma)
    source = ImageFolder(
        args.folder,
        classes=[] if args.no_labels else args.classes,
        exclude=args.exclude,
        include=args.include,
        channels=args.channels,
        bits=args.bits,
    )
    images = SHARD_IMAGES if args.shard_images is None else args.shard_images
    record = PackWriter(source, args.out, options, images, args.workers).write()
    size = sum(shard.bytes for shard in record.shards)
    print(f'{args.out}: {record.images} images, {size / 1e6:.1f} MB in {len(record.shards)} shards')
    if record.gray_levels.get('mean') is not None:
        print(
            f'difference from the files, of {record.gray_levels["images"]:.0f} images: '
            f'{record.gray_levels["mean"]:.2f} gray levels in the mean, '
            f'{record.gray_levels["largest"]:.2f} at most'
        )
    if record.bad:
        print(f'{record.bad} cannot be read: {args.out}/bad.csv says why, exclude.txt names them')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
