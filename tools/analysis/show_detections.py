"""Draw the detections of a trained detector on test images, beside the annotated objects.

python tools/analysis/show_detections.py CONFIG CHECKPOINT --out detections.png [--num 6]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, picture_to_write

    parser = ToolParser(description=__doc__)
    parser.add_config(help='a config of configs/transfer')
    parser.add_argument('checkpoint', help='weights of that detector')
    parser.add_argument(
        '--out', type=picture_to_write, default=Path('detections.png'), help='PNG to write'
    )
    parser.add_argument('--num', type=int, default=6, help='images, evenly spaced (default: 6)')
    parser.add_argument(
        '--min-score', type=float, default=0.5, help='leave out findings below it (default: 0.5)'
    )
    parser.add_cfg_options()
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Draw one row per image."""
    args = parse_args(argv)
    if args.num < 1 or not 0 <= args.min_score <= 1:
        raise ValueError(
            f'--num {args.num} and --min-score {args.min_score}; expected at least 1 image and a '
            'score from 0 to 1.'
        )

    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    from mochi_mm.launch.measured_config import load_measured
    from mochi_mm.transfer.examples import detect_examples, draw_examples

    config = load_measured(args)
    examples = detect_examples(config, args.checkpoint, args.num, args.min_score)
    figure, axes = plt.subplots(
        len(examples), 2, figsize=(8, 3.6 * len(examples)), squeeze=False, layout='constrained'
    )
    draw_examples(axes, examples)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=100)
    print(f'{len(examples)} images written to {args.out}')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
