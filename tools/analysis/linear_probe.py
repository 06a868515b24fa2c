"""Fit a linear probe to features extracted once: minutes where the full probe takes hours.

    python tools/analysis/linear_probe.py CONFIG CHECKPOINT [--features FOLDER] [--l2 1e-4 ...]

CONFIG is a kNN benchmark config, or one with a KNNHook: its bank is the training set, its queries
are the test set, both without augmentation. The classifier is multinomial logistic regression,
trained to its optimum by L-BFGS on standardized features; of several l2 the best on a held-out
fifth of the training set is taken. This is NOT the probe of the papers, which trains with
augmentation and SGD; configs/benchmarks/linear has that one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_config(help='a kNN benchmark config, or one with a KNNHook')
    parser.add_argument('checkpoint', help='a checkpoint, or a backbone file')
    parser.add_argument(
        '--features', type=Path, help='keep features in this folder, and take them from there'
    )
    parser.add_argument(
        '--l2',
        type=float,
        nargs='+',
        help='weights of the penalty to choose from (1e-4 1e-3 1e-2)',
    )
    parser.add_argument('--seed', type=seed, default=0, help='of the held-out fifth (0)')
    parser.add_argument(
        '--cuts',
        type=int,
        nargs=2,
        metavar=('MANY', 'FEW'),
        help="on a long tail, such as 100 20 (the config's): also top-1 of classes with more than "
        'MANY training images, fewer than FEW, and those between',
    )
    parser.add_device()
    parser.add_argument(
        '--record', type=file_to_write, help='write the result and where it is from here'
    )
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    return args


def load(args: argparse.Namespace, device: str) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """Return the network, its config and, for training and test, the loader and its data's."""
    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation.class_groups import check_cuts
    from mochi_mm.files.load_weights import load_backbone
    from mochi_mm.launch.benchmark_config import load_benchmark
    from mochi_mm.registry import MODELS
    from mochi_mm.utils.class_names import check_same_classes

    benchmark = load_benchmark(args)
    args.cuts = args.cuts or benchmark.settings.get('cuts')
    if args.cuts:
        args.cuts = check_cuts(args.cuts)
    model = MODELS.build(benchmark.model)
    key = args.checkpoint_key
    print(load_backbone(model, args.checkpoint, args.allow_other_input, checkpoint_key=key))
    build, parts = SafeRunner.build_dataloader, (benchmark.bank, benchmark.queries)
    loaders = [(build(part, seed=0), part['dataset']) for part in parts]
    check_same_classes(*(loader.dataset for loader, _ in loaders), 'training', 'test')
    return model.to(device), benchmark.model, loaders


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Measure, print, and return the accuracies in percent."""
    args = parse_args(argv)
    import torch

    from mochi_mm.evaluation.feature_file import cached_features
    from mochi_mm.evaluation.features import extract_features
    from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
    from mochi_mm.experiments.result_record import record_checkpoint
    from mochi_mm.launch.arguments import where_to_compute

    device = where_to_compute(args.device)
    model, model_config, loaders = load(args, device)
    sets = []
    for name, (loader, config) in zip(('train', 'test'), loaders, strict=True):
        if args.features is None:
            sets.append(extract_features(model, loader, require_labels=True))
        else:
            path = args.features / f'{name}.safetensors'
            sets.append(cached_features(path, model, loader, config, model_config))
    (x, y), (x_test, y_test) = sets
    classes = int(max(y.max(), y_test.max())) + 1
    values = args.l2 or list(L2_GRID)
    l2, tried = choose_l2(x, y, values, seed=args.seed, device=device)
    for value, top1 in tried.items():
        print(f'l2 {value:g}: {top1:.2f} on the held-out fifth')
    probe = fit_linear(x, y, l2, classes, device=device)
    found = probe.accuracy(x_test, y_test)
    if args.cuts:
        counts = torch.bincount(y, minlength=classes)
        found.update(probe.by_group(x_test, y_test, counts, args.cuts))
    metrics = {f'fast_linear/{name}': value for name, value in found.items()}
    grid = f' of {" ".join(f"{value:g}" for value in values)}' if len(values) > 1 else ''
    protocol = f'fast linear probe (L-BFGS on cached features, l2 {l2:g}{grid})'
    print(f'{protocol}: ' + '  '.join(f'{name} {value:.2f}' for name, value in metrics.items()))
    if args.record:
        record_checkpoint(args.record, protocol, args.config, metrics, args.checkpoint)
    return metrics


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
