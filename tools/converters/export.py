"""Take the backbone out of a checkpoint, into the file of another library.

    python tools/converters/export.py CHECKPOINT --to torchvision [--out PATH]

The written file is read again, by the target library's own model where it is installed, and its
features are compared with ours on random images; the largest difference is printed and kept in
PATH.json. A difference above the tolerance is an error, and nothing is left behind.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

FORMATS = ('torchvision', 'timm', 'detectron2', 'mmdet', 'huggingface', 'onnx', 'backbone')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('checkpoint', help='a checkpoint of a training run, or a backbone file')
    parser.add_argument('--to', required=True, choices=FORMATS, help='the format')
    parser.add_argument('--out', type=Path, help='file, or folder for huggingface (beside it)')
    parser.add_argument(
        '--encoder',
        choices=('query', 'key'),
        help='key: the averaged encoder (query, or the one that a backbone file holds)',
    )
    parser.add_argument(
        '--licence', help="of the weights, such as 'CC-BY-4.0' (what a backbone file says)"
    )
    parser.add_argument(
        '--tolerance', type=float, default=1e-4, help='of the comparison, relative (1e-4)'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace what is there')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Export and say what was written."""
    args = parse_args(argv)
    from mmengine.registry import init_default_scope

    from mochi_mm.export import export_backbone
    from mochi_mm.export.equality import Equality

    init_default_scope('mochi_mm')
    out, about = export_backbone(
        args.checkpoint,
        args.to,
        args.out,
        args.encoder,
        args.licence,
        args.overwrite,
        args.tolerance,
    )
    equality = Equality(**about['equality'])
    print(f'{out} written ({args.to}), about it: {out}.json')
    print(f'  load     {about["usage"]}')
    print(f'  checked  {equality.checked_in}')
    print(
        f'  maximum difference {equality.max_difference:.3g} (features up to {equality.scale:.3g}, '
        f'{equality.tolerance * equality.scale:.3g} allowed)'
    )
    order, mean, std = (about[key] for key in ('channel_order', 'mean_255', 'std_255'))
    print(f'  input    {order}, mean {mean}, std {std} in gray levels 0 to 255')
    if about['licence'] == 'unspecified':
        print('  licence  UNSPECIFIED: nobody knows what may be done with it; say --licence NAME')
    else:
        print(f'  licence  {about["licence"]}')


if __name__ == '__main__':
    # Ended by a signal it cleans up like after an error.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
