"""All lists answer for the project, without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mochi_mm.launch.listing.lists import LISTS, overview

ROOT = Path(__file__).resolve().parents[3]


def test_the_overview_counts_each() -> None:
    rows = {str(name): int(str(number)) for name, number in overview(ROOT).rows}
    assert list(rows) == list(LISTS)
    assert rows['methods'] > 10 and rows['configs'] > 50 and rows['components'] > 60


def test_listing_needs_no_torch() -> None:
    code = (
        'import sys; from pathlib import Path; from mochi_mm.launch.listing.lists import overview; '
        f'overview(Path({str(ROOT)!r})); print("torch" in sys.modules)'
    )
    done = subprocess.run([sys.executable, '-c', code], text=True, capture_output=True)
    assert done.stdout == 'False\n', done.stderr
