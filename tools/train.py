"""Train the model of a config.

python tools/train.py CONFIG                  a path; tools/list.py configs lists what there is
python tools/train.py CONFIG --smoke          two CPU steps on generated images
python tools/train.py CONFIG --resume         go on from the newest checkpoint of the work dir
python tools/train.py CONFIG --from WEIGHTS   begin with weights of others, or of an earlier run
torchrun --nproc_per_node=8 tools/train.py CONFIG --launcher pytorch
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser
    from mochi_mm.runs.allowances import ALLOWANCES

    parser = ToolParser(description=__doc__)
    parser.add_config(help='config file')
    parser.add_argument(
        '--work-dir', help='where logs and checkpoints go (default: work_dirs/<name of the config>)'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from CHECKPOINT, or from the newest of the work dir',
    )
    _add_from(parser)
    parser.add_argument(
        '--allow-changed',
        nargs='+',
        action='extend',
        default=[],
        choices=tuple(ALLOWANCES),
        help='what may differ from the run that is resumed (docs/reliability.md)',
    )
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision (bfloat16; detection: float16)'
    )
    parser.add_cfg_options()
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument(
        '--smoke',
        action='store_true',
        help='two steps of this config on the CPU, on generated images',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.smoke and args.launcher != 'none':
        parser.error('--smoke is one process on the CPU; leave --launcher out')
    if args.smoke and args.resume:
        parser.error('--smoke trains two steps from the beginning; leave --resume out')
    _check_from(parser, args)
    return args


def _add_from(parser: Any) -> None:
    parser.add_argument(
        '--from',
        dest='start',
        metavar='WEIGHTS',
        help='begin with the backbone of this file, of any kind that docs/transfer_weights.md '
        'names, and with its neck where it fits; both encoders do',
    )
    parser.add_argument(
        '--checkpoint-key',
        metavar='NAME',
        help='beside --from: which weights of a file that holds several',
    )
    parser.add_argument(
        '--allow-other-input',
        action='store_true',
        help='beside --from: weights of images with another mean, std or channel order',
    )
    parser.add_argument(
        '--adapt-stem',
        choices=('mean',),
        help='beside --from: how weights of three channels go into a model of another number',
    )


def _check_from(parser: Any, args: argparse.Namespace) -> None:
    if args.start is None and (args.checkpoint_key or args.allow_other_input or args.adapt_stem):
        parser.error(
            '--checkpoint-key, --allow-other-input and --adapt-stem belong to the file of --from'
        )
    if args.start is None:
        return
    if args.resume:
        parser.error(
            f'--from {args.start} begins a run and --resume goes on with one, which has weights of '
            'its own; give one of the two'
        )
    if args.smoke:
        parser.error('--smoke trains two steps from random weights; leave --from out')


def read_config(args: argparse.Namespace) -> Any:
    """Return the config with the command line applied to it."""
    from mochi_mm.launch.config import load_config, parse_options
    from mochi_mm.launch.options import refuse_both

    options = parse_options(args.cfg_options)
    given = {
        'work_dir': args.work_dir and f'--work-dir {args.work_dir}',
        'optim_wrapper.type': args.amp and '--amp',
        'resume': args.resume and '--resume',
        'load_from': args.resume not in (None, 'auto') and f'--resume {args.resume}',
        'resume_allow': args.allow_changed and '--allow-changed',
        'start_from.weights': args.start and f'--from {args.start}',
    }
    refuse_both(options, given)
    config = load_config(args.config, options, of_tools=())
    if config.get('train_cfg') is None:
        raise ValueError(
            f'{args.config} has no train_cfg, so there is nothing to train; measure a checkpoint '
            f'with it: python tools/test.py {args.config} CHECKPOINT'
        )
    if args.allow_changed and not (args.resume or config.get('resume')):
        raise ValueError(
            f'--allow-changed {" ".join(args.allow_changed)} says what may differ from the run '
            'that is resumed, and none is; expected --resume beside it.'
        )
    if args.start:
        config.start_from = dict(weights=args.start, allow_other_input=args.allow_other_input)
        for name in ('checkpoint_key', 'adapt_stem'):
            if value := getattr(args, name):
                config.start_from[name] = value
    if args.work_dir:
        config.work_dir = args.work_dir
    elif config.get('work_dir') is None:
        config.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    if args.amp:
        detection = config.get('default_scope') == 'mmdet'  # bfloat16 blurs boxes by pixels
        config.optim_wrapper.type = 'AmpOptimWrapper' if detection else 'BF16OptimWrapper'
    return config


def set_resume(config: Any, resume: str | None, allowed: list[str]) -> None:
    """Point the config at what ``--resume`` names; a job that was started again goes on.

    ``--resume`` alone takes the newest checkpoint of the work dir, and ``load_from`` only where
    there is none. torchrun and Slurm start the same command line again after a failure or a
    requeue, and say so in the environment; then only what this job wrote is taken, and where it
    wrote nothing, it begins as it did at first.
    """
    from mochi_mm.runs.start_record import is_restart, note_start, written_since

    if resume is not None:
        config.resume = 'auto' if resume == 'auto' else True
    if resume not in (None, 'auto'):
        config.load_from = resume
    begun = is_restart() and bool(written_since(config.work_dir))
    if begun:
        config.restarted = True
    if allowed:
        config.resume_allow = allowed
    start = config.get('load_from') or (config.get('start_from') or {}).get('weights')
    if start is not None and not begun:  # keep=1 may have deleted it
        from mochi_mm.files.checkpoint import local_path, read_checkpoint

        read_checkpoint(local_path(start))  # before anything is built
    note_start(config.work_dir)


def main(argv: list[str] | None = None) -> None:
    """Build the runner and train."""
    args = parse_args(argv)
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.check_start_from import check_start_from
    from mochi_mm.launch.check_surroundings import check_launcher, check_start, check_work_dir

    config = read_config(args)
    check_launcher(args.launcher)
    if args.smoke:
        check_work_dir(config.work_dir)
        os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
        from mochi_mm.launch.smoke import to_smoke

        check_config(config)
        config = to_smoke(config, args.work_dir)
    else:
        resumes = bool(args.resume or config.get('resume'))
        check_start(config, resumes)
        check_start_from(config, resumes)
    check_config(config)
    from mochi_mm.files.run_lock import refuse_if_running
    from mochi_mm.runs.start_record import is_first_rank

    if is_first_rank():
        refuse_if_running(config.work_dir)  # before anything is written there
    set_resume(config, args.resume, args.allow_changed)

    from mochi_mm.launch.runner import build_runner

    build_runner(config, 'none' if args.smoke else args.launcher).train()
    if args.smoke:
        if not args.work_dir:
            shutil.rmtree(config.work_dir)  # up to half a gigabyte; where it fails, at the exit
        print('smoke run passed')


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
