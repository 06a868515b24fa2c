"""Print a config as it is after inheritance and overrides, and check it.

python tools/analysis/print_config.py CONFIG [--cfg-options KEY=VALUE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    """Load, check and print."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_config()
    parser.add_cfg_options()
    args = parser.parse_args()

    from mochi_mm.launch.check_config import check_config
    from mochi_mm.launch.config import load_config, parse_options

    config = load_config(args.config, parse_options(args.cfg_options))
    check_config(config)
    print(config.pretty_text)


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
