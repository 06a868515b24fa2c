"""Measure a checkpoint as a config describes (kNN, linear probe, any test loop).

python tools/test.py CONFIG CHECKPOINT
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
    from mochi_mm.launch.arguments import ToolParser, file_to_write

    parser = ToolParser(description=__doc__)
    parser.add_config(help='config file with a test_dataloader and test_cfg')
    parser.add_argument('checkpoint', help='weights to measure')
    parser.add_argument('--work-dir', help='where logs go (default: work_dirs/<config name>)')
    parser.add_cfg_options()
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument('--out', type=file_to_write, help='write the metrics to this JSON file')
    parser.add_argument(
        '--record',
        type=file_to_write,
        help='write the metrics, and where they are from, to this JSON file',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_weights_options()
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Build the runner, load the weights and test."""
    args = parse_args(argv)
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.check_surroundings import check_launcher, check_work_dir
    from mochi_mm.launch.measured_config import load_measured
    from mochi_mm.launch.options import parse_options, refuse_both

    work_dir = {'work_dir': args.work_dir and f'--work-dir {args.work_dir}'}
    refuse_both(parse_options(args.cfg_options), work_dir)
    config = load_measured(args, of_tools=())
    check_launcher(args.launcher)
    if config.get('test_cfg') is None:
        raise ValueError(
            f'{args.config} has no test_cfg, so there is nothing to test; expected a config such '
            'as those in configs/benchmarks.'
        )
    config.work_dir = (
        args.work_dir or config.get('work_dir') or str(Path('work_dirs') / Path(args.config).stem)
    )
    check_config(config)
    check_work_dir(config.work_dir)

    from mochi_mm.launch.runner import build_runner

    runner = build_runner(config, args.launcher)
    metrics = runner.test_from(args.checkpoint, args.allow_other_input, args.checkpoint_key)
    if args.out and runner.rank == 0:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(metrics, indent=2) + '\n')
    if args.record and runner.rank == 0:
        from mochi_mm.experiments.result_record import protocol_of, record_checkpoint

        record_checkpoint(args.record, protocol_of(config), args.config, metrics, args.checkpoint)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
