"""Write docs/results.md from the files that tools and metafiles wrote down; nothing is typed.

    python tools/analysis/results_table.py [--check]

A figure enters by a tool's --record FILE and that file's place in results/measured/. --check writes
nothing and exits with 1 where the page is not what it would write.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_computed_page(ROOT)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    args = parse_args(argv)
    from mochi_mm.experiments.computed_page import write_or_compare
    from mochi_mm.experiments.results_page import PAGE, results_page

    path, text = args.root / PAGE, results_page(args.root)
    return write_or_compare(path, text, 'tools/analysis/results_table.py', args.check)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
