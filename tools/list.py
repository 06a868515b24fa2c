"""List the methods, configs, components, data sets and tools.

    python tools/list.py [methods|configs|components|datasets|tools] [PATTERN]
    python tools/list.py configs 'mochi-*cifar10*'     a pattern as in a shell, case ignored
    python tools/list.py components heads              of components the kind as well
    python tools/list.py --write                       bring the tables of the documents up to date

Without a list: how many entries each has. An entry that is alone is shown with all that is known of
it, such as paper, command, hardware, expected and measured figure of a config. Nothing is imported
to be listed, so it answers at once.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
NAMES = ('methods', 'configs', 'components', 'datasets', 'tools')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('list', nargs='?', choices=NAMES)
    parser.add_argument('pattern', nargs='?', default='*')
    parser.add_argument('--write', action='store_true', help='write the tables of the documents')
    args = parser.parse_args(argv)
    if args.write and args.list:
        parser.error('--write brings all tables up to date and takes no list')
    return args


def main(argv: list[str] | None = None) -> int:
    """Print a list or write the tables; return the exit status."""
    args = parse_args(argv)
    from mochi_mm.launch.listing.lists import LISTS, overview
    from mochi_mm.launch.listing.written_tables import write_tables
    from mochi_mm.registry import nearest

    if args.write:
        changed = write_tables(ROOT)
        for path in changed:
            print(f'{path.relative_to(ROOT)} written')
        print(f'{len(changed)} documents changed')
        return 0
    if args.list is None:
        print(overview(ROOT).text())
        return 0
    table = LISTS[args.list](ROOT)
    found = table.matching(args.pattern)
    if not found.rows:
        names = {str(cell) for row in table.rows for cell in row[: table.keys]}
        close = ', '.join(nearest(args.pattern, names)) or 'none'
        print(f'nothing in {args.list} fits {args.pattern!r}. Nearest: {close}', file=sys.stderr)
        return 1
    print(found.text())
    return 0


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(lambda: sys.exit(main()))
