"""Measure a checkpoint by k nearest neighbors and print a table.

    python tools/analysis/knn.py CONFIG CHECKPOINT [--k 10 20 100 200] [--untrained]
        [--similarity learned]

CONFIG is a kNN benchmark config (test_cfg of type KNNLoop), or a pre-training config whose
custom_hooks hold a KNNHook: its data sets are used. With --untrained, the network as initialized
is measured too, or alone without a CHECKPOINT. --similarity learned takes the similarity of the
head, where it learns one (BregmanHead), in the place of the cosine of the pooled features.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's settings."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_config(help='a kNN benchmark config, or one with a KNNHook')
    parser.add_argument('checkpoint', nargs='?', help='a checkpoint of a training run')
    parser.add_argument('--k', type=int, nargs='+', help="numbers of neighbors (the config's)")
    parser.add_argument('--temperature', type=float, help="of the votes (the config's)")
    parser.add_argument(
        '--similarity', choices=('cosine', 'learned'), help="what is near (the config's, or cosine)"
    )
    parser.add_networks_measured()
    parser.add_cfg_options()
    parser.add_weights_options()
    return parser.parse_measured(argv)


def print_table(results: dict[str, dict[str, float]], ks: list[int]) -> None:
    """Print one line for each network and k, in percent; groups of classes behind top-5."""
    width = max(len(name) for name in ['network', *results])
    columns = ['top1', 'top5']
    for metric in (metric for metrics in results.values() for metric in metrics):
        group = metric.split('/')[1].rsplit('_k', 1)[0]
        columns += [] if group in columns else [group]
    heads = [dict(top1='top-1', top5='top-5').get(column, column) for column in columns]
    print(f'{"network":{width}}  {"k":>5}' + ''.join(f'  {head:>6}' for head in heads))
    for name, metrics in results.items():
        kind = next(iter(metrics)).split('/')[0]  # knn, or knn_learned
        for k in ks:
            line = f'{name:{width}}  {k:>5}'
            for column, head in zip(columns, heads, strict=True):
                value = metrics.get(f'{kind}/{column}_k{k}')
                line += f'  {"-" if value is None else f"{value:.2f}":>{max(6, len(head))}}'
            print(line)


def load(model: Any, checkpoint: str, args: argparse.Namespace, similarity: str) -> None:
    """Load the backbone of a checkpoint, and neck and head for a learned similarity; print what.

    Raises:
        ValueError: The checkpoint does not hold all of it.
    """
    from mochi_mm.evaluation.analysis.load_model import load_for_analysis
    from mochi_mm.files.load_weights import load_backbone

    allow, key = args.allow_other_input, args.checkpoint_key
    if similarity == 'cosine':
        print(load_backbone(model, checkpoint, allow, checkpoint_key=key))
        return
    report, absent = load_for_analysis(model, checkpoint, allow, checkpoint_key=key)
    if absent:
        raise ValueError(
            f'{next(iter(absent.values()))}, which a learned similarity needs; give the checkpoint '
            'of the whole run, or --similarity cosine.'
        )
    print(report)


def main(argv: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Measure, print, and return the metrics of each network."""
    args = parse_args(argv)

    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation import knn_evaluate
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.benchmark_config import load_benchmark
    from mochi_mm.launch.fresh_model import fresh_model

    benchmark = load_benchmark(args)
    settings = benchmark.settings
    k = args.k or settings.get('k', [10, 20, 100, 200])
    ks = [k] if isinstance(k, int) else list(k)
    temperature = args.temperature
    if temperature is None:
        temperature = settings.get('temperature', 0.07)
    similarity = args.similarity or settings.get('similarity', 'cosine')
    device = where_to_compute(args.device)
    bank = SafeRunner.build_dataloader(benchmark.bank, seed=args.seed)
    queries = SafeRunner.build_dataloader(benchmark.queries, seed=args.seed)

    how = dict(similarity=similarity, cuts=settings.get('cuts'))
    results: dict[str, dict[str, float]] = {}
    for checkpoint in [args.checkpoint] * bool(args.checkpoint) + [None] * args.untrained:
        model = fresh_model(benchmark.model, args.seed)
        if checkpoint:
            load(model, checkpoint, args, similarity)
        results[checkpoint or 'untrained'] = knn_evaluate(
            model.to(device), bank, queries, ks, temperature, **how
        )
    print_table(results, ks)
    if args.out is not None:
        from mochi_mm.experiments.benchmark import write_json

        record = dict(
            config=args.config, temperature=temperature, similarity=similarity, results=results
        )
        write_json(args.out, record)
    if args.record is not None:
        from mochi_mm.experiments.result_record import record_checkpoint

        learned = ', learned similarity' if similarity == 'learned' else ''
        protocol = f'weighted kNN, temperature {temperature:g}{learned}'
        metrics = results[args.checkpoint]
        record_checkpoint(args.record, protocol, args.config, metrics, args.checkpoint)
    return results


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
