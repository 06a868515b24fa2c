"""Measure a checkpoint by k nearest neighbors and print a table.

    python tools/analysis/knn.py CONFIG CHECKPOINT [--k 10 20 100 200] [--untrained]

CONFIG is a kNN benchmark config (test_cfg of type KNNLoop), or a pre-training config whose
custom_hooks hold a KNNHook: its data sets are used. With --untrained, the network as initialized
is measured too, or alone without a CHECKPOINT.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's settings."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('config', help='a kNN benchmark config, or one with a KNNHook')
    parser.add_argument('checkpoint', nargs='?', help='a checkpoint of a training run')
    parser.add_argument('--k', type=int, nargs='+', help="numbers of neighbors (the config's)")
    parser.add_argument('--temperature', type=float, help="of the votes (the config's)")
    parser.add_argument('--untrained', action='store_true', help='measure random weights too')
    parser.add_argument('--seed', type=int, default=0, help='of the random weights (0)')
    parser.add_argument('--device', help='where to compute (the first CUDA device, or the CPU)')
    parser.add_argument('--out', type=Path, help='also write the results to this JSON file')
    parser.add_argument(
        '--record', type=Path, help='write the metrics, and where they are from, to this JSON file'
    )
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    if not args.checkpoint and not args.untrained:
        parser.error('give a CHECKPOINT, or --untrained to measure random weights')
    if args.out is not None and not args.out.parent.is_dir():
        parser.error(f'--out: there is no folder {args.out.parent}; create it first')
    if args.record is not None and Path(args.record).is_dir():
        parser.error(f'--record {args.record} is a folder; expected a file to write')
    if args.record is not None and (args.untrained or not args.checkpoint):
        parser.error('--record is for one checkpoint, without --untrained')
    return args


def print_table(results: dict[str, dict[str, float]], ks: list[int]) -> None:
    """Print one line for each network and k, in percent."""
    width = max(len(name) for name in ['network', *results])
    print(f'{"network":{width}}  {"k":>5}  {"top-1":>6}  {"top-5":>6}')
    for name, metrics in results.items():
        for k in ks:
            top5 = metrics.get(f'knn/top5_k{k}')
            shown = '-' if top5 is None else f'{top5:.2f}'
            print(f'{name:{width}}  {k:>5}  {metrics[f"knn/top1_k{k}"]:>6.2f}  {shown:>6}')


def main(argv: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Measure, print, and return the metrics of each network."""
    args = parse_args(argv)

    import torch
    from mmengine.registry import init_default_scope

    from mochi_mm.engine.runners import SafeRunner
    from mochi_mm.evaluation import knn_evaluate
    from mochi_mm.evaluation.knn_settings import find_benchmark
    from mochi_mm.files.load_weights import load_backbone
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.check_surroundings import check_checkpoint
    from mochi_mm.launch.config import load_config, parse_options
    from mochi_mm.launch.fresh_model import fresh_model

    cfg = load_config(args.config, parse_options(args.cfg_options))
    if args.checkpoint:
        check_checkpoint(args.checkpoint)
    check_config(cfg)
    init_default_scope(cfg.get('default_scope', 'mochi_mm'))
    bank_cfg, query_cfg, settings = find_benchmark(cfg)
    k = args.k or settings.get('k', [10, 20, 100, 200])
    ks = [k] if isinstance(k, int) else list(k)
    temperature = args.temperature
    if temperature is None:
        temperature = settings.get('temperature', 0.07)
    if cfg.get('data_preprocessor') is not None:
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    bank = SafeRunner.build_dataloader(bank_cfg, seed=args.seed)
    queries = SafeRunner.build_dataloader(query_cfg, seed=args.seed)

    results: dict[str, dict[str, float]] = {}
    for checkpoint in [args.checkpoint] * bool(args.checkpoint) + [None] * args.untrained:
        model = fresh_model(cfg.model, args.seed)
        if checkpoint:
            report = load_backbone(
                model, checkpoint, args.allow_other_input, checkpoint_key=args.checkpoint_key
            )
            print(report)
        results[checkpoint or 'untrained'] = knn_evaluate(
            model.to(device), bank, queries, ks, temperature
        )
    print_table(results, ks)
    if args.out is not None:
        record = dict(config=args.config, temperature=temperature, results=results)
        partial = args.out.with_name(args.out.name + '.part')
        partial.write_text(json.dumps(record, indent=2) + '\n', encoding='utf-8')
        os.replace(partial, args.out)
    if args.record is not None:
        from mochi_mm.experiments.result_record import result_record, write_record

        source = Path(args.checkpoint)
        protocol = f'weighted kNN, temperature {temperature:g}'
        metrics = results[args.checkpoint]
        pretraining = source.parent.name or source.name
        write_record(args.record, result_record(protocol, args.config, metrics, pretraining))
    return results


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
