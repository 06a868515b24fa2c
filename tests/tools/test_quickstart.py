"""The quickstart's verdict, and that its configs compare like with like."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments.result_record import FIELDS
from mochi_mm.launch.config import load_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def quickstart() -> Any:
    spec = importlib.util.spec_from_file_location('quickstart', ROOT / 'tools/quickstart.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(moco: float, mochi: float) -> dict[str, dict[str, float]]:
    rows = {'untrained': 20.0, 'MoCo-v2': moco, 'MoCHi': mochi}
    return {name: dict(knn=value, linear=value, seconds=1.0) for name, value in rows.items()}


@pytest.mark.parametrize(
    ('moco', 'mochi', 'good'), [(30, 30, True), (25, 25, True), (24.9, 30, False), (30, 19, False)]
)
def test_both_must_gain_five_points(
    quickstart: Any, moco: float, mochi: float, good: bool, capsys
) -> None:
    assert quickstart.report(results(moco, mochi)) is good
    printed = capsys.readouterr()
    assert 'untrained' in printed.out and ('expected at least 5' in printed.err) is not good


def test_both_methods_have_the_same_budget_and_seed(quickstart: Any) -> None:
    moco, mochi = (load_config(ROOT / path).to_dict() for path in quickstart.METHODS.values())
    moco['model'].pop('head'), mochi['model'].pop('head')
    assert moco == mochi


def test_records_of_every_figure(quickstart: Any, tmp_path: Path) -> None:
    quickstart.write_records(tmp_path, results(30.12345, 31.5))
    assert len(list(tmp_path.iterdir())) == 6
    name = 'mocov2_resnet10w025_1xb128-quickstart_shapes'
    record = json.loads((tmp_path / f'{name}-linear.json').read_text())
    assert tuple(record) == FIELDS and record['metrics'] == {'accuracy/top1': 30.1234}
    assert record['config'] == quickstart.PROBE and record['pretraining'] == name
