"""Configs with their headers and the data sets that they inherit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.listing.list_configs import data_set_of, list_configs

ROOT = Path(__file__).resolve().parents[3]


BASES = ['../_base_/run.py', '../_base_/datasets/near.py']


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        'configs/_base_/datasets/far.py': '"""Far: away."""\n',
        'configs/_base_/datasets/near.py': '"""Near: by."""\n\n_base_ = "./far.py"\n',
        'configs/_base_/run.py': '"""Runs."""\n',
        'configs/a/parent.py': f'"""P."""\n_base_ = {BASES!r}\n',
        'configs/a/child.py': '"""C."""\n_base_ = "parent.py"\nx = {{_base_.y}}\n',
        'configs/a/alone.py': '"""Title here.\n\nPaper: P.\nMeasured: 1.5.\n"""\n',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_data_set_is_the_nearest_that_is_inherited(project: Path) -> None:
    assert data_set_of(project / 'configs/a/child.py') == 'Near'
    assert data_set_of(project / 'configs/a/alone.py') == ''


def test_rows(project: Path) -> None:
    table = list_configs(project)
    rows = {str(row[0]): [str(cell) for cell in row[1:]] for row in table.rows}
    assert list(rows) == ['alone', 'child', 'parent']
    assert rows['alone'] == ['', 'Title here', 'P', '', '', '', '1.5']
    assert rows['child'][:2] == ['Near', 'C']


def test_every_config_of_the_project_has_a_data_set() -> None:
    table = list_configs(ROOT)
    assert len(table.rows) > 50
    assert [str(row[0]) for row in table.rows if not row[1] or len(str(row[1])) > 40] == []
