"""Decode every image below a folder; list those that are damaged, and why.

python tools/dataset/check.py FOLDER --out work_dirs/check [--channels 4 --bits 16]
writes  manifest.csv   path, bytes, width, height, mode, format, verdict: one line per image
        exclude.txt    paths of the bad ones, for ImageFolder(exclude=...); names that would not
                       fit a line of text (line breaks, bytes that are not UTF-8) as JSON strings
With --channels also those of other channels or bits are bad, as ImageFolder(channels=...) reads.
Exit code: 0 all images can be read, 1 some cannot.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


@dataclass(frozen=True)
class Verdict:
    """Outcome of the check of one image; ``verdict`` is ``ok`` or the reason."""

    path: str
    bytes: int
    width: int
    height: int
    mode: str
    format: str
    verdict: str


def judge(relative: str, root: str, reader: Any) -> Verdict:
    """Read one image as training would, and say how that went."""
    from mochi_mm.datasets.unfit_image import UnfitImage
    from mochi_mm.datasets.unreadable_image import UnreadableImage
    from mochi_mm.files.image_file import open_image

    path = Path(root) / relative
    size = path.stat().st_size if path.exists() else 0
    width = height = 0
    mode = kind = ''
    try:
        with open_image(path) as image:
            width, height, mode, kind = *image.size, image.mode, image.format or ''
    except Exception:  # noqa: BLE001  # the reason is that of reading it whole, below
        pass
    try:
        reader.image(path)
    except (UnreadableImage, UnfitImage) as error:
        return Verdict(relative, size, width, height, mode, kind, ' '.join(str(error).split()))
    return Verdict(relative, size, width, height, mode, kind, 'ok')


def parse_args() -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', help='images at any depth below it')
    parser.add_argument('--out', default='work_dirs/check', help='where the two files go')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1)
    parser.add_argument('--max-pixels', type=int, help='largest image that is decoded')
    parser.add_argument('--channels', type=int, help='of every file; none for photographs')
    parser.add_argument('--bits', type=int, default=8, help='of each number, with --channels')
    args = parser.parse_args()
    for name in ('max_pixels', 'workers'):
        if (value := getattr(args, name)) is not None and value < 1:
            parser.error(f'--{name.replace("_", "-")} is {value}; expected at least 1')
    return args


def write(verdicts: Iterable[Verdict], total: int, out: Path) -> Counter[str]:
    """Write both files as the verdicts come, with a progress bar; return how many of each kind."""
    from mochi_mm.datasets.path_list import to_line
    from mochi_mm.utils.progress import progress_bar

    counts: Counter[str] = Counter()
    out.mkdir(parents=True, exist_ok=True)
    with (
        open(out / 'manifest.csv', 'w', newline='', encoding='utf-8') as manifest,
        open(out / 'exclude.txt', 'w', encoding='utf-8') as exclude,
    ):
        table = csv.writer(manifest)
        table.writerow(field.name for field in fields(Verdict))
        for found in progress_bar(verdicts, 'images', total):
            table.writerow(astuple(replace(found, path=to_line(found.path))))
            counts['ok' if found.verdict == 'ok' else 'bad'] += 1
            counts[f'{found.format or "no image"} {found.mode}'.strip()] += 1
            if found.verdict != 'ok':
                exclude.write(f'{to_line(found.path)}\n')
                print(found.verdict)
    return counts


def main() -> int:
    """Check the folder and return the exit code."""
    args = parse_args()
    from torchvision.datasets.folder import IMG_EXTENSIONS

    from mochi_mm.datasets.class_folders import tell_left_out
    from mochi_mm.datasets.folder_index import FolderIndex
    from mochi_mm.datasets.image_reader import ImageReader
    from mochi_mm.datasets.read_image import MAX_PIXELS

    if not Path(args.folder).is_dir():
        raise FileNotFoundError(f'no folder {args.folder}; expected a folder of images.')
    index = FolderIndex.scan(args.folder, IMG_EXTENSIONS)
    files = index.paths() + index.broken_images()
    if not files:
        raise ValueError(f'no images in {args.folder}; looked for {", ".join(IMG_EXTENSIONS)}.')
    reader = ImageReader(args.channels, args.bits, args.max_pixels or MAX_PIXELS)
    work = partial(judge, root=index.root, reader=reader)
    with multiprocessing.Pool(max(1, args.workers)) as pool:
        counts = write(pool.imap(work, files, chunksize=16), len(files), Path(args.out))
    ok, bad = counts.pop('ok', 0), counts.pop('bad', 0)
    print(f'{ok} images can be read, {bad} cannot: {args.out}/manifest.csv, {args.out}/exclude.txt')
    print('kinds: ' + ', '.join(f'{count} x {kind}' for kind, count in counts.most_common()))
    other = ', '.join(f'{count} x {ending}' for ending, count in index.other.most_common(5))
    print(f'files passed over for their endings: {other or "none"}')
    tell_left_out(index)
    return 1 if bad else 0


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
