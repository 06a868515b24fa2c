"""Data sets have a name before the colon, and configs."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.launch.listing.list_datasets import list_datasets

ROOT = Path(__file__).resolve().parents[3]


def test_every_data_set_has_a_name_and_configs() -> None:
    rows = [[str(cell) for cell in row] for row in list_datasets(ROOT).rows]
    files = sorted(row[1] for row in rows)
    bases = (ROOT / 'configs').rglob('_base_/datasets/*.py')
    assert files == sorted(path.relative_to(ROOT).as_posix() for path in bases)
    assert [row for row in rows if not row[3]] == [], 'begin its docstring with "NAME: what it is"'
    (cifar,) = [row for row in rows if row[0] == 'CIFAR-10']
    assert int(cifar[2].split()[0]) > 20
