"""Write docs/evidence.md and docs/comparisons.md, what sweeps found, from their records.

    python tools/analysis/findings_pages.py [--check]

Records come from tools/benchmarks/sweep.py SUITE --record results/measured. --check writes nothing
and exits with 1 where a page is not what it would write.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
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
    """Write or check the pages; return the exit status."""
    args = parse_args(argv)
    from mochi_mm.experiments.computed_page import write_or_compare
    from mochi_mm.experiments.findings_pages import PAGES, findings_page

    status = 0
    for page in PAGES:
        with tempfile.TemporaryDirectory() as nowhere:
            pictures = Path(nowhere) if args.check else args.root / 'docs/images'
            text = findings_page(page, args.root, pictures)
        tool = 'tools/analysis/findings_pages.py'
        status |= write_or_compare(args.root / page, text, tool, args.check)
    return status


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
