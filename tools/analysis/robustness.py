"""Measure what is left of a classifier's accuracy when its images are attacked or corrupted.

    python tools/analysis/robustness.py CONFIG CHECKPOINT [--num-images 1000] [--record FILE]

CONFIG is a kNN benchmark config, or one with a KNNHook, whose queries are classified. Where the
model has a head that classifies, that is attacked; elsewhere the fast linear probe, fitted to the
clean features of the bank, with the network behind it. The attack is PGD from a random start, its
radii are shares of the range of a pixel (--epsilons 1/255 2/255 ...), then FGSM, a random change
and a radius at which nothing can be right, to see whether gradients are masked; then noise, blur,
contrast and JPEG at five strengths each. --explain LAYER adds how well Grad-CAM at a layer explains
the classifier, and its calibration. docs/robustness.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def fraction(text: str) -> float:
    """Return the value of ``8/255`` or ``0.03``.

    Raises:
        argparse.ArgumentTypeError: It is no number.
    """
    above, _, below = text.partition('/')
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(
            f'{text!r} is no radius; expected a share of the range of a pixel, such as 8/255'
        ) from None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_config(help='a kNN benchmark config, or one with a KNNHook')
    parser.add_argument('checkpoint', help='a checkpoint, or a backbone file')
    parser.add_argument(
        '--epsilons', type=fraction, nargs='+', help='radii of the attack (1/255 2/255 4/255 8/255)'
    )
    parser.add_argument('--steps', type=int, help='steps of the attack (20)')
    parser.add_argument('--norm', help='linf or l2 (linf)')
    parser.add_argument('--large', type=fraction, help='radius of the masking check (128/255)')
    parser.add_argument('--corruptions', nargs='+', help='noise, blur, contrast, jpeg (all)')
    parser.add_argument('--num-images', type=int, help='evenly spaced queries (all)')
    parser.add_argument('--seed', type=seed, help='of random starts and noise (0)')
    parser.add_argument(
        '--l2', type=float, nargs='+', help='penalties of the probe to choose from (1e-4 1e-3 1e-2)'
    )
    parser.add_argument(
        '--auto-attack',
        action='store_true',
        help='also AutoAttack at the largest radius (pip install -e .[attacks]); takes long',
    )
    parser.add_device()
    parser.add_argument(
        '--record', type=file_to_write, help='write the result and where it is from here'
    )
    parser.add_argument(
        '--explain', metavar='LAYER', help='also explanations at this layer of the backbone'
    )
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    if args.num_images is not None and args.num_images < 1:
        parser.error(f'--num-images is {args.num_images}; expected at least 1')
    return args


def find_settings(args: argparse.Namespace) -> Any:
    """Return the settings of the command line.

    Raises:
        ValueError: A radius in gray levels, an unknown corruption, or another that makes no sense.
    """
    from mochi_mm.evaluation.robustness import RobustnessSettings

    names = ('epsilons', 'steps', 'norm', 'large', 'corruptions', 'seed')
    given = {name: getattr(args, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    if given.get('norm') == 'l2' and ('large' not in given or 'epsilons' not in given):
        raise ValueError(
            '--norm l2 is given without --epsilons and --large; the usual radii are those of '
            'linf. Give both, such as --epsilons 0.25 0.5 --large 20 for images of 32 pixels.'
        )
    return RobustnessSettings(**given)


def load(args: argparse.Namespace, device: str) -> tuple[Any, list[Any]]:
    """Return the network, and the loaders of bank and queries."""
    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation.analysis import load_for_analysis
    from mochi_mm.evaluation.some_images import some_images
    from mochi_mm.launch.benchmark_config import load_benchmark
    from mochi_mm.models.algorithms.named_heads import classifier_of
    from mochi_mm.registry import MODELS
    from mochi_mm.utils.class_names import check_same_classes

    benchmark = load_benchmark(args)
    model = MODELS.build(benchmark.model)
    report, absent = load_for_analysis(
        model, args.checkpoint, args.allow_other_input, args.checkpoint_key
    )
    print(report)
    if absent and classifier_of(model) is not None:
        reason = next(iter(absent.values()))
        raise ValueError(
            f'{args.config} has a head that classifies, and {reason}; give a checkpoint of the '
            'whole model, or a config without a classifier, for which a probe is fitted.'
        )
    parts = (benchmark.bank, benchmark.queries)
    loaders = [SafeRunner.build_dataloader(part, seed=0) for part in parts]
    check_same_classes(*(loader.dataset for loader in loaders), 'training', 'test')
    if args.num_images is not None:
        loaders[1] = some_images(loaders[1], args.num_images)
    return model.to(device), loaders


def fitted(model: Any, bank: Any, args: argparse.Namespace, device: str) -> tuple[Any, str]:
    """Return the classifier as a function of pixels, and in words what it is."""
    from mochi_mm.evaluation.features import extract_features
    from mochi_mm.evaluation.linear_classifier import L2_GRID
    from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier

    classifier, l2 = fitted_classifier(
        model,
        lambda: extract_features(model, bank, require_labels=True),
        args.l2 or L2_GRID,
        device,
    )
    if l2 is None and args.l2 is not None:
        raise ValueError(
            '--l2 is given, but the model has a head that classifies, so no probe is fitted; '
            'take it out.'
        )
    return classifier, 'own classifier' if l2 is None else f'fast linear probe (l2 {l2:g})'


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Measure, print, and return the accuracies in percent."""
    args = parse_args(argv)
    from mochi_mm.evaluation.robustness import measure_robustness
    from mochi_mm.evaluation.robustness.auto_attack import attack_package, auto_attack
    from mochi_mm.evaluation.robustness.measure_robustness import signs_of_masking
    from mochi_mm.experiments.result_record import record_checkpoint
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.models.explanations import check_layer

    settings = find_settings(args)
    device = where_to_compute(args.device)
    model, (bank, queries) = load(args, device)
    if args.explain:
        check_layer(model, args.explain)
    if args.auto_attack:
        attack_package()
    classifier, words = fitted(model, bank, args, device)
    found = measure_robustness(classifier, queries, settings, device, len(queries))
    if args.auto_attack:
        radius = max(settings.epsilons)
        found[f'auto_attack_{settings.name(radius)}'] = auto_attack(
            classifier, queries, radius, settings.norm, settings.seed, device
        )
    if args.explain:
        from mochi_mm.evaluation.explanations import measure_explanations

        more = measure_explanations(classifier, queries, args.explain, device=device)
        found |= {name: value for name, value in more.items() if name != 'clean'}
    signs = signs_of_masking(found, settings)
    metrics = {f'robustness/{name}': value for name, value in found.items()}
    for name, value in metrics.items():
        print(f'{name:32} {value:6.2f}')
    print(f'{len(queries.dataset)} images, {words}, PGD-{settings.steps}, {settings.norm}')
    print('Masked gradients: ' + ('; '.join(signs) + '.' if signs else 'no sign of them.'))
    if args.record:
        protocol = f'PGD-{settings.steps} ({settings.norm}) and corruptions of {words}, '
        protocol += f'{len(queries.dataset)} images'
        if args.explain:
            protocol += f', Grad-CAM at {args.explain}'
        record_checkpoint(args.record, protocol, args.config, metrics, args.checkpoint)
    return metrics


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
