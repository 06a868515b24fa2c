"""Say how far measures without labels agree with kNN on which checkpoint is the best.

python tools/analysis/checkpoint_agreement.py WORK_DIR [WORK_DIR ...] [--out agreement.json]

Each WORK_DIR is that of a run that measured kNN (a KNNHook, or a guard with labels) and features
(an AnalysisHook, or a guard) at the same three epochs or more. For each measure: Spearman's rank
correlation with kNN over the checkpoints of a run, mean and 95 % interval over the runs, and what
choosing a checkpoint by it costs in points of kNN, beside taking the last one. Runs are read, none
is executed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write

    parser = ToolParser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR', help='work dir of a run')
    parser.add_argument('--measures', nargs='+', help='names in the log (all without labels)')
    parser.add_argument('--out', type=file_to_write, help='also write all values to this JSON file')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    """Print table and sentences; return the summary.

    Raises:
        ValueError: A measure that no rule is known of, or runs that were not measured.
    """
    args = parse_args(argv)

    from mochi_mm.experiments.checkpoint_agreement import (
        LABEL_FREE,
        agreements,
        sentences,
        summary,
        table,
    )
    from mochi_mm.registry import nearest
    from mochi_mm.runs.run import read_runs

    for name in args.measures or ():
        if name not in LABEL_FREE:
            close = ', '.join(nearest(name, LABEL_FREE)) or 'none'
            raise ValueError(
                f'--measures names {name!r}; expected measures without labels as the log names '
                f'them. Nearest: {close}.'
            )
    runs = read_runs(args.work_dirs)
    found = [one for run in runs for one in agreements(run, args.measures or LABEL_FREE)]
    rows = summary(found)
    print('\n'.join([*table(rows), '', *sentences(rows)]))
    if args.out is not None:
        from mochi_mm.experiments.benchmark import write_json

        write_json(args.out, dict(runs=[vars(one) for one in found], summary=rows))
    return rows


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
