"""Measure a checkpoint as a config describes (kNN, linear probe, any test loop).

python tools/test.py configs/benchmarks/knn/knn_resnet50_in1k.py work_dirs/.../epoch_200.pth
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file with a test_dataloader and test_cfg')
    parser.add_argument('checkpoint', help='weights to measure')
    parser.add_argument('--work-dir', help='where logs go (default: work_dirs/<config name>)')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument('--out', help='write the metrics to this JSON file')
    parser.add_argument(
        '--record', help='write the metrics, and where they are from, to this JSON file'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.record is not None and Path(args.record).is_dir():
        parser.error(f'--record {args.record} is a folder; expected a file to write')
    return args


def main(argv: list[str] | None = None) -> None:
    """Build the runner, load the weights and test."""
    args = parse_args(argv)
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.config import load_config, parse_options

    config = load_config(args.config, parse_options(args.cfg_options))
    if config.get('test_cfg') is None:
        raise ValueError(
            f'{args.config} has no test_cfg, so there is nothing to test; expected a config such '
            'as those in configs/benchmarks.'
        )
    config.work_dir = (
        args.work_dir or config.get('work_dir') or str(Path('work_dirs') / Path(args.config).stem)
    )
    config.load_from = None
    check_config(config)

    from mochi_mm.files.checkpoint import load_for_test
    from mochi_mm.launch.runner import build_runner
    from mochi_mm.utils.class_names import class_names

    runner = build_runner(config, args.launcher)
    classes = class_names(runner.test_dataloader.dataset)
    runner.logger.info(load_for_test(runner.model, args.checkpoint, classes))
    metrics = runner.test()
    if args.out and runner.rank == 0:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(metrics, indent=2) + '\n')
    if args.record and runner.rank == 0:
        from mochi_mm.experiments.result_record import protocol_of, result_record, write_record

        source = Path(args.checkpoint)
        protocol = protocol_of(config)
        write_record(
            args.record,
            result_record(protocol, args.config, metrics, source.parent.name or source.name),
        )


if __name__ == '__main__':
    main()
