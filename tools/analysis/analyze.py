"""Analyze a checkpoint: alignment, uniformity, effective rank, and its hard negatives.

    python tools/analysis/analyze.py CONFIG CHECKPOINT [--out DIR] [--pictures]

CONFIG is the config of the pre-training run. The numbers are those that AnalysisHook writes while
training; docs/analysis.md says what each of them means. What this checkpoint does not allow is
named; a measure asked for with --measures that is not possible is an error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

_HOOK_SETTINGS = (
    'measures',
    'layers',
    'alpha',
    't',
    'num_hard',
    'num_queries',
    'seed',
    'lidar_images',
    'lidar_views',
    'lidar_delta',
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, seed

    parser = ToolParser(description=__doc__)
    parser.add_config(help='config of the pre-training run')
    parser.add_argument('checkpoint', help='a checkpoint of it')
    parser.add_argument(
        '--out', type=Path, help='folder to write to (analysis/ beside the checkpoint)'
    )
    parser.add_argument('--pictures', action='store_true', help='also draw neighbors and negatives')
    parser.add_argument('--measures', nargs='+', help='class_alignment, lidar, ... (most)')
    parser.add_argument('--layers', nargs='+', help='backbone, neck (both)')
    parser.add_argument('--alpha', type=float, help='exponent of the alignment (2)')
    parser.add_argument('--t', type=float, help='of the uniformity (2)')
    parser.add_argument('--num-hard', type=int, help='hardest negatives looked at (1024)')
    parser.add_argument('--num-queries', type=int, help='images whose views are compared (1024)')
    parser.add_argument('--lidar-images', type=int, help='that LiDAR takes as classes (512)')
    parser.add_argument('--lidar-views', type=int, help='of each of them (8)')
    parser.add_argument('--lidar-delta', type=float, help='on the covariance of views (1e-4)')
    parser.add_argument('--seed', type=seed, help='of views and mixing (0)')
    parser.add_device()
    parser.add_cfg_options()
    parser.add_weights_options()
    return parser.parse_args(argv)


def find_settings(cfg: Any, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return the data loader of the features and the settings: the command line's, else the hook's.

    Raises:
        ValueError: The config names no data to take features of.
    """
    from mochi_mm.registry import component_name

    hooks = [h for h in cfg.get('custom_hooks') or [] if component_name(h) == 'AnalysisHook']
    hook = hooks[0] if hooks else {}
    loader = hook.get('dataloader') or cfg.get('query_dataloader')
    if loader is None:
        raise ValueError(
            f'{cfg.filename} has neither an AnalysisHook nor a query_dataloader, so nothing says '
            'which samples to take features of; add query_dataloader, one view a sample, as in '
            'configs/_base_/datasets.'
        )
    if cfg.get('train_dataloader') is None:
        raise ValueError(
            f'{cfg.filename} has no train_dataloader, whose views are compared; give the config of '
            'the pre-training run.'
        )
    settings = {name: hook[name] for name in _HOOK_SETTINGS if name in hook}
    given = {name: getattr(args, name) for name in _HOOK_SETTINGS}
    settings.update({name: value for name, value in given.items() if value is not None})
    return loader, settings


def print_analysis(found: Any) -> None:
    """Print what was measured, and what was not and why."""
    width = max(map(len, [*found.scalars, *found.missing]), default=0)
    for name, value in found.scalars.items():
        print(f'{name:{width}}  {value:.4f}')
    for name, why in found.missing.items():
        print(f'{name:{width}}  not available: {why}')


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Analyze, print, write, and return the numbers."""
    args = parse_args(argv)

    from mochi_mm.launch.measured_config import load_measured

    cfg = load_measured(args)

    from mmengine.registry import init_default_scope

    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation.analysis import (
        AnalysisSettings,
        analyze,
        load_for_analysis,
        position_of,
        view_batches,
        write_analysis,
    )
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.fresh_model import fresh_model
    from mochi_mm.registry import DATASETS

    check_config(cfg)
    init_default_scope(cfg.get('default_scope', 'mochi_mm'))
    loader_cfg, options = find_settings(cfg, args)
    settings = AnalysisSettings(**options)
    position = position_of(args.checkpoint)
    model = fresh_model(cfg.model, settings.seed)
    report, absent = load_for_analysis(
        model, args.checkpoint, args.allow_other_input, args.checkpoint_key
    )
    print(report)
    model = model.to(where_to_compute(args.device))
    loader = SafeRunner.build_dataloader(loader_cfg, seed=settings.seed)
    train = cfg.train_dataloader
    views = view_batches(
        DATASETS.build(train.dataset),
        settings.num_queries,
        settings.seed,
        train.batch_size,
        train.get('num_workers', 0),
    )
    found = analyze(model, loader, views, settings, absent)
    print_analysis(found)
    pictures: dict[str, bytes] = {}
    if args.pictures:
        from mochi_mm.visualization.analysis_pictures import draw_pictures

        pictures, missing = draw_pictures(model, loader, views, found, settings.seed)
        for name, why in missing.items():
            print(f'picture {name} not available: {why}')
    folder = args.out or Path(args.checkpoint).parent / 'analysis'
    record = found.record(checkpoint=str(args.checkpoint), config=str(args.config), **position)
    path = write_analysis(folder, Path(args.checkpoint).stem, record, found.arrays, pictures)
    print(f'written to {path}' + ''.join(f', {name}' for name in pictures))
    return found.scalars


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
