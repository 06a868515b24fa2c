"""The data sets that configs can inherit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mochi_mm.launch.listing.header import docstring_of, summary
from mochi_mm.launch.listing.list_configs import data_set_of
from mochi_mm.launch.listing.table import Link, Table
from mochi_mm.launch.named_configs import config_files


def list_datasets(root: Path) -> Table:
    """Return every file of ``_base_/datasets`` with the number of configs on its data set.

    Args:
        root: The folder that holds ``configs/``.
    """
    number = Counter(data_set_of(path) for path in config_files(root / 'configs').values())
    rows = []
    for path in sorted((root / 'configs').rglob('_base_/datasets/*.py')):
        name, _, what = summary(docstring_of(path)).partition(': ')
        where = path.relative_to(root).as_posix()
        rows.append((name, Link(where, path), f'{number[name]} configs', what))
    return Table(('data set', 'file', 'used by', 'what it is'), sorted(rows, key=str), shown=4)
