"""Measure a checkpoint by retrieval, mean average precision and recall at k, and print a table.

    python tools/analysis/retrieval.py CONFIG CHECKPOINT [--k 1 5 10] [--within queries]
        [--untrained]

CONFIG is a kNN benchmark config, or a pre-training config with a KNNHook: its data sets are used.
Every query ranks the bank by the cosine of pooled features; what is of its class should come first.
--within searches one of the two sets in itself, each image among all the others (leave-one-out), as
benchmarks of metric learning do with their test set. An image that is alone in its class has
nothing to find and is not counted. With --untrained, the network as initialized is measured too, or
alone without a CHECKPOINT.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

#: Figures of the table, in its order; those of each k follow.
COLUMNS = dict(mAP='mAP', r_precision='R-precision', map_at_r='mAP@R')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's settings."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_config(help='a kNN benchmark config, or one with a KNNHook')
    parser.add_argument('checkpoint', nargs='?', help='a checkpoint of a training run')
    parser.add_argument(
        '--k', type=int, nargs='+', default=[1, 5, 10], help='first candidates looked at (1 5 10)'
    )
    parser.add_argument(
        '--within',
        choices=('bank', 'queries'),
        help='search this set in itself, each image among the others',
    )
    parser.add_argument(
        '--method',
        choices=('plain', 'trapezoid'),
        default='plain',
        help='of the average precision (plain); Oxford, Paris and Copydays take trapezoid',
    )
    parser.add_networks_measured()
    parser.add_cfg_options()
    parser.add_weights_options()
    return parser.parse_measured(argv)


def print_table(results: dict[str, dict[str, float]], ks: list[int]) -> None:
    """Print one line for each network, in percent, and how many queries were counted."""
    columns = {f'retrieval/{name}': head for name, head in COLUMNS.items()}
    columns.update({f'retrieval/recall_k{k}': f'recall@{k}' for k in ks})
    columns.update({f'retrieval/found_k{k}': f'found@{k}' for k in ks})
    width = max(len(name) for name in ['network', *results])
    print(f'{"network":{width}}' + ''.join(f'  {head:>6}' for head in columns.values()))
    for name, metrics in results.items():
        values = (f'{metrics[key]:>{max(6, len(head))}.2f}' for key, head in columns.items())
        print(f'{name:{width}}  ' + '  '.join(values))
    counted = next(iter(results.values()))['retrieval/share_counted']
    if counted < 100:
        print(f'{100 - counted:.2f} % of the queries have nothing to find and are not counted')


def main(argv: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Measure, print, and return the metrics of each network."""
    args = parse_args(argv)

    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation import retrieval_evaluate
    from mochi_mm.files.load_weights import load_backbone
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.benchmark_config import load_benchmark
    from mochi_mm.launch.fresh_model import fresh_model

    benchmark = load_benchmark(args)
    device = where_to_compute(args.device)
    configs = dict(bank=benchmark.bank, queries=benchmark.queries)
    wanted = ('bank', 'queries') if args.within is None else (args.within,)
    loaders = [SafeRunner.build_dataloader(configs[name], seed=args.seed) for name in wanted]

    results: dict[str, dict[str, float]] = {}
    for checkpoint in [args.checkpoint] * bool(args.checkpoint) + [None] * args.untrained:
        model: Any = fresh_model(benchmark.model, args.seed)
        if checkpoint:
            allow, key = args.allow_other_input, args.checkpoint_key
            print(load_backbone(model, checkpoint, allow, checkpoint_key=key))
        results[checkpoint or 'untrained'] = retrieval_evaluate(
            model.to(device), loaders[0], loaders[-1], args.k, args.method
        )
    print_table(results, args.k)
    if args.out is not None:
        from mochi_mm.experiments.benchmark import write_json

        settings = dict(config=args.config, within=args.within, method=args.method)
        write_json(args.out, dict(settings, results=results))
    if args.record is not None:
        from mochi_mm.experiments.result_record import record_checkpoint

        where = f'within the {args.within}' if args.within else 'queries in the bank'
        trapezoid = ', trapezoid' if args.method == 'trapezoid' else ''
        metrics = results[args.checkpoint]
        protocol = f'retrieval, {where}{trapezoid}'
        record_checkpoint(args.record, protocol, args.config, metrics, args.checkpoint)
    return results


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
