"""Write generated scenes to files: images in class folders, PASCAL VOC or COCO layout.

python tools/dataset/export_shapes.py FOLDER --layout LAYOUT
python tools/dataset/export_shapes.py data/shapes_voc --layout voc --train 2000 --val 500 --mixed
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder to make')
    parser.add_argument('--layout', choices=('folder', 'voc', 'coco'), default='folder')
    parser.add_argument('--train', type=int, default=2000, help='training scenes (default: 2000)')
    parser.add_argument('--val', type=int, default=500, help='validation scenes (default: 500)')
    parser.add_argument('--test', type=int, default=0, help='test scenes (default: 0)')
    parser.add_argument('--size', type=int, default=128, help='side in pixels (default: 128)')
    parser.add_argument('--objects', type=int, nargs=2, default=(2, 3), metavar=('FEWEST', 'MOST'))
    parser.add_argument('--mixed', action='store_true', help='shapes of any kind, for detection')
    parser.add_argument('--seed', type=seed, default=0)
    parser.add_argument('--overwrite', action='store_true', help='replace the folder')
    return parser.parse_args()


def main() -> None:
    """Write beside the target, then move it into place, so that it is whole or absent."""
    args = parse_args()
    from rich.progress import track

    from mochi_mm.datasets.shape_scenes import ShapeScenes
    from mochi_mm.datasets.shapes.export import EXPORTERS
    from mochi_mm.files.new_folder import new_folder

    counts = dict(train=args.train, val=args.val, test=args.test)
    sets = [
        ShapeScenes(number, split, args.size, tuple(args.objects), args.mixed, args.seed)
        for split, number in counts.items()
        if number
    ]
    with new_folder(args.out, args.overwrite) as partial:
        for scenes in sets:

            def progress(numbers: Iterable[int], split: str = scenes.split) -> Iterable[int]:
                return track(list(numbers), description=split, disable=not sys.stderr.isatty())

            EXPORTERS[args.layout](scenes, partial, progress)
        if args.layout == 'voc':
            lists = partial / 'ImageSets/Main'
            both = [lists / f'{s}.txt' for s in ('train', 'val') if counts[s]]
            (lists / 'trainval.txt').write_text(''.join(path.read_text() for path in both))
    print(f'{sum(len(s) for s in sets)} scenes written to {args.out} ({args.layout} layout)')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
