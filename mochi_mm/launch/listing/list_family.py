"""Gains of the methods of the family at one small budget, from the records."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.files.text_file import read_json
from mochi_mm.launch.listing.table import Link, Table

_UNTRAINED = ' (untrained)'
TITLES = ('setting', 'untrained', 'trained', 'gain', 'date', 'commit', 'machine')


def list_family(root: Path, suite: str) -> Table:
    """Return the first figure of every record of a suite of the family, in percent.

    Args:
        root: The folder that holds ``results/measured/``.
        suite: As in ``family-{suite}-{setting}.json``, such as ``cifar10``.

    Raises:
        ValueError: A record without a figure before and after the training.
    """
    start = f'family-{suite}-'
    rows = []
    for path in sorted((root / 'results/measured').glob(f'{start}*.json')):
        record = read_json(path)
        metrics = record['metrics']
        name = next((key for key in metrics if f'{key}{_UNTRAINED}' in metrics), None)
        if name is None:
            raise ValueError(
                f'{path} holds {", ".join(metrics)}; expected a figure and the same with '
                f'"{_UNTRAINED.strip()}" behind its name.'
            )
        after, before = metrics[name], metrics[f'{name}{_UNTRAINED}']
        link = Link(path.stem.removeprefix(start), root / record['config'])
        values = f'{before:.1f}', f'{after:.1f}', f'{after - before:+.1f}'
        rows.append((link, *values, record['date'], record['commit'], _machine(record['hardware'])))
    return Table(TITLES, rows)


def _machine(hardware: str) -> str:
    """Return the processor's name of a record's hardware."""
    return hardware.split(', ')[1] if ', ' in hardware else hardware
