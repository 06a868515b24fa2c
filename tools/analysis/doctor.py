"""Say in words what is wrong or healthy about a run, each with the evidence and the fix.

    python tools/analysis/doctor.py WORK_DIR
    python tools/analysis/doctor.py WORK_DIR --config CONFIG [--checkpoint FILE]

Reads the logs and the checkpoints of a pre-training run, and its config as data. With the config
named, which is run as a program, the newest checkpoint also meets some batches of its training
images; what needs them is not measured otherwise. docs/doctor.md says how each verdict is made.
Exit code: 0 nothing wrong was found, 1 something is.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if TYPE_CHECKING:
    from mochi_mm.runs.doctor import Finding, Observations
    from mochi_mm.runs.run import Run


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('work_dir', help='of a pre-training run')
    parser.add_config('--config', help='config of the run, to measure on its training images')
    parser.add_argument('--checkpoint', help='a checkpoint of the run (the newest of the work dir)')
    parser.add_argument('--batches', type=int, default=4, help='batches that are looked at (4)')
    parser.add_argument('--seed', type=seed, default=0, help='of their views (0)')
    parser.add_argument('--out', type=file_to_write, help='also write the findings to a JSON file')
    parser.add_device()
    parser.add_cfg_options()
    parser.add_weights_options()
    args = parser.parse_args(argv)
    if args.cfg_options and not args.config:
        parser.error('--cfg-options go with --config')
    if args.batches < 2:
        parser.error(f'--batches is {args.batches}; expected at least 2')
    return args


def check_run(run: Run) -> None:
    """Refuse a run without a scalar, and one of another project.

    Raises:
        ValueError: It is one.
    """
    if run.log.crashed:
        raise ValueError(
            f'the run in {run.work_dir} ended before it logged a single value, so there is nothing '
            'to look at; its text log says why it ended.'
        )
    scope = run.config.get('default_scope')
    if run.config and scope != 'mochi_mm':
        raise ValueError(
            f'{run.work_dir} is the work dir of another project: its config has '
            f'default_scope={scope!r}; expected a pre-training run of mochi_mm.'
        )
    if not any('loss_contrast' in line or 'loss' in line for line in run.log.lines):
        raise ValueError(
            f'{run.work_dir} holds no training: no line of its log has a loss; expected the work '
            'dir of a pre-training run.'
        )


def find_checkpoints(args: argparse.Namespace) -> list[Path]:
    """Return the checkpoints to look at, the newest first: the one named, and those before it."""
    from mochi_mm.files.checkpoint_folder import saved_in
    from mochi_mm.launch.check_surroundings import check_checkpoint

    saved = [entry.path for entry in reversed(saved_in(args.work_dir))]
    if not args.checkpoint:
        return saved[:2]
    check_checkpoint(args.checkpoint)
    named = Path(args.checkpoint)
    places = [path.resolve() for path in saved]
    if named.resolve() in places:
        first = places.index(named.resolve())
        return saved[first : first + 2]
    return [named]


def look(args: argparse.Namespace, checkpoint: Path) -> Observations:
    """Return what a checkpoint does with some of its training images.

    Raises:
        ValueError: The config has no training images, or the checkpoint is of another one.
    """
    from mmengine.registry import init_default_scope

    from mochi_mm.evaluation.analysis import load_for_analysis
    from mochi_mm.launch.arguments import where_to_compute
    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.fresh_model import fresh_model
    from mochi_mm.launch.measured_config import load_measured
    from mochi_mm.registry import DATASETS
    from mochi_mm.runs.doctor import observe

    args.checkpoint = str(checkpoint)
    cfg = load_measured(args)
    check_config(cfg)
    init_default_scope(cfg.get('default_scope', 'mochi_mm'))
    if cfg.get('train_dataloader') is None:
        raise ValueError(f'{args.config} has no train_dataloader, whose images are looked at.')
    model: Any = fresh_model(cfg.model, args.seed)
    report, absent = load_for_analysis(
        model, checkpoint, args.allow_other_input, args.checkpoint_key
    )
    print(report)
    train = cfg.train_dataloader
    return observe(
        model.to(where_to_compute(args.device)),
        DATASETS.build(train.dataset),
        checkpoint.name,
        train.batch_size,
        args.batches,
        args.seed,
        train.get('num_workers', 0),
        absent,
    )


def print_findings(findings: list[Finding]) -> None:
    """Print every finding as a paragraph, what is wrong first."""
    from mochi_mm.runs.doctor import HEALTHY, NOT_MEASURED, WRONG

    order = (WRONG, HEALTHY, NOT_MEASURED)
    for finding in sorted(findings, key=lambda found: order.index(found.state)):
        state = finding.state.upper() if finding.state == WRONG else finding.state
        print(_paragraph(f'{state}: {finding.check}: ', f'{finding.sentence}.', ''))
        for line in finding.evidence:
            print(_paragraph('- ', line, '    '))
        if finding.fix:
            print(_paragraph('fix: ', finding.fix, '    '))
    counts = ', '.join(f'{sum(f.state == state for f in findings)} {state}' for state in order)
    print(f'\n{counts}')


def _paragraph(head: str, text: str, indent: str) -> str:
    return textwrap.fill(head + text, 100, initial_indent=indent, subsequent_indent=f'{indent}    ')


def main(argv: list[str] | None = None) -> list[Finding]:
    """Look, print, write, and return the findings."""
    args = parse_args(argv)

    from mochi_mm.files.atomic_file import write_atomically
    from mochi_mm.runs.doctor import Facts, diagnose, read_memories
    from mochi_mm.runs.run import read_run

    run = read_run(args.work_dir)
    check_run(run)
    checkpoints = find_checkpoints(args)
    facts = dict(run=run, memories=read_memories(checkpoints))
    if args.config and checkpoints:
        facts['observed'] = look(args, checkpoints[0])
    elif args.config:
        facts['unobserved'] = f'there is no checkpoint in {args.work_dir}'
    findings = diagnose(Facts(**facts))
    print_findings(findings)
    if args.out:
        record = dict(work_dir=str(args.work_dir), findings=[f.record() for f in findings])
        text = json.dumps(record, indent=2) + '\n'
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(args.out, lambda file: file.write(text.encode()))
    return findings


def run_as_program() -> None:
    """Leave with 1 where something is wrong."""
    findings = main()
    from mochi_mm.runs.doctor import WRONG  # behind the command line, which imports nothing heavy

    sys.exit(int(any(finding.state == WRONG for finding in findings)))


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(run_as_program)
