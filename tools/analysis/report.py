"""Put several runs side by side on one page.

    python tools/analysis/report.py WORK_DIR [WORK_DIR ...] --out report.html

Curves of the logs, analyses (AnalysisHook, tools/analysis/analyze.py), pictures, configs with their
differences, and environment; runs are switched on and off. The page is one file and needs no
network. A run that was resumed gives one curve; an iteration that was repeated counts once, as it
was computed last. A run that crashed is shown with its last words.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, file_to_write

    parser = ToolParser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR', help='of a training run')
    parser.add_argument(
        '--out', type=file_to_write, default=Path('report.html'), help='(report.html)'
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> Path:
    """Write the page and say where it is."""
    args = parse_args(argv)

    from mochi_mm.visualization.report import write_report

    path = write_report(args.work_dirs, args.out)
    count = len(args.work_dirs)
    print(f'{count} run{"" if count == 1 else "s"} in {path} ({path.stat().st_size / 1e6:.1f} MB)')
    return path


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
