"""Draw the views that the training pipeline makes of the images, beside the originals.

python tools/analysis/browse_dataset.py CONFIG --out views.png [--num 8] [--epochs 2]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, picture_to_write

    parser = ToolParser(description=__doc__)
    parser.add_config()
    parser.add_argument(
        '--out',
        type=picture_to_write,
        default=Path('views.png'),
        help='PNG to write (default: views.png)',
    )
    parser.add_argument(
        '--num', type=int, default=8, help='images shown, evenly spaced (default: 8)'
    )
    parser.add_argument('--epochs', type=int, default=2, help='epochs whose views are shown')
    parser.add_cfg_options()
    return parser.parse_args()


def finished_views(sample: dict[str, Any]) -> list[Any]:
    """Return the views (C, H, W) of a sample, with what was left to the device."""
    parameters = sample['data_samples'].get('view_parameters')
    if parameters is None:
        return list(sample['inputs'])
    from mochi_mm.models.data_preprocessors.view_data_preprocessor import augment

    drawn = type(parameters)(*(values[None] for values in parameters))  # a batch of one
    return [
        augment(view[None].float(), drawn.of_view(i))[0].clamp(0, 255).round().byte()
        for i, view in enumerate(sample['inputs'])
    ]


def main() -> None:
    """Draw one row per image: the original, then its views epoch by epoch."""
    args = parse_args()
    if args.num < 1 or args.epochs < 1:
        raise ValueError(
            f'--num {args.num} and --epochs {args.epochs}; expected at least 1 of each.'
        )

    import matplotlib
    import numpy as np

    from mochi_mm.datasets.channel_image import ChannelImage
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.config import load_config, parse_options
    from mochi_mm.randomness import SampleKey
    from mochi_mm.registry import DATASETS
    from mochi_mm.visualization import draw_image_rows

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    config = load_config(args.config, parse_options(args.cfg_options))
    check_config(config)
    if not config.get('train_dataloader'):
        raise ValueError(
            f'{args.config} has no train_dataloader, whose views are shown; expected a config that '
            'trains.'
        )
    dataset = DATASETS.build(config.train_dataloader.dataset)
    seed = config.get('randomness', {}).get('seed') or 0
    rows = []
    for index in np.linspace(0, len(dataset) - 1, min(args.num, len(dataset))).astype(int):
        views = [
            np.asarray(ChannelImage(view.permute(1, 2, 0).numpy()).convert('RGB'))
            for epoch in range(args.epochs)
            for view in finished_views(dataset[SampleKey(int(index), seed, epoch)])
        ]
        height, width = views[0].shape[:2]
        original = dataset.image(int(index)).convert('RGB')
        original = np.asarray(original.resize((width, height)))
        rows.append([original, *views])
    columns, size = len(rows[0]), 1.2
    figure, axis = plt.subplots(figsize=(columns * size, len(rows) * size + 0.4))
    draw_image_rows(axis, rows)
    per_epoch = (columns - 1) // args.epochs
    axis.set_title(
        f'original (squeezed to the view), then {per_epoch} views in each of {args.epochs} epochs',
        fontsize=8,
    )
    figure.tight_layout()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=130)
    print(f'{len(rows)} of {len(dataset)} images with their views written to {args.out}')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
