"""One run of tools/benchmarks/evidence.py, which calls this in a process of its own.

python tools/benchmarks/evidence_run.py --suite cpu --data cifar10 --setting mocov2 --seed 0 ...
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--suite', required=True)
    parser.add_argument('--data', required=True, help='folder of the data set in --data-root')
    parser.add_argument('--setting', required=True)
    parser.add_argument('--seed', type=int, required=True)
    parser.add_argument('--epochs', type=int, required=True)
    parser.add_argument('--images-per-class', type=int)
    parser.add_argument('--data-root', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True, help='folder of the sweep')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Train, measure, and return the result."""
    args = parse_args(argv)
    from mochi_mm.experiments.run_one import run_one
    from mochi_mm.experiments.sweep import Sweep

    sweep = Sweep(args.suite, args.out, args.data_root, args.epochs, args.images_per_class)
    (run,) = (r for r in sweep.runs([args.setting], [args.seed]) if r.data == args.data)
    return run_one(ROOT, run)


if __name__ == '__main__':
    main()
