"""The family benchmark: a tiny run, going on where it stopped, budgets that do not mix."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope='module')
def family() -> Any:
    spec = importlib.util.spec_from_file_location('family', ROOT / 'tools/benchmarks/family.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules['family'] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Thirty images of each of ten classes, and as many for validation."""
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for kind in range(10):
            folder = tmp_path / 'images' / split / f'class{kind}'
            folder.mkdir(parents=True)
            for i in range(30):
                pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f'{i:02}.png')
    return tmp_path / 'images'


def test_every_method_has_a_config_in_each_suite(family: Any) -> None:
    found = {name: family.find_methods(suite) for name, suite in family.SUITES.items()}
    assert {'simclr', 'supcon', 'dcl', 'dclw', 'supinfonce', 'mocov2'} <= set(found['cifar10'])
    assert {'supcon', 'supcon-fairkl'} <= set(found['coloured'])


def test_the_class_oracle_is_no_method_of_the_family(family: Any) -> None:
    """It sees labels: its configs end in -oracle, which the suite's pattern leaves out."""
    paths = family.find_methods(family.SUITES['cifar10']).values()
    assert [path.name for path in paths if 'oracle' in path.name] == []
    assert len(list((ROOT / 'configs').glob('*/*cifar10-cpu-oracle.py'))) == 2


def test_trains_measures_goes_on_and_refuses_another_budget(
    family: Any, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / 'out'
    common = ['--data-root', str(images), '--out', str(out), '--epochs', '1']
    common += ['--images-per-class', '26', '--methods', 'supcon']
    assert family.main(common) == 0
    written = json.loads((out / 'results.json').read_text())
    row = written['methods']['supcon']
    assert 0 <= row['trained']['knn'] <= 100 and row['config'].startswith('configs/supcon/')
    assert written['failed'] == {} and written['epochs'] == 1
    assert len(list((out / 'images_26/train/class3').iterdir())) == 26
    assert len(list((out / 'images_26/val/class3').iterdir())) == 13
    assert '| supcon |' in (out / 'table.md').read_text()

    capsys.readouterr()
    (out / 'supcon' / 'output.log').unlink()
    assert family.main([*common, '--record', str(tmp_path / 'records')]) == 0
    assert not (out / 'supcon' / 'output.log').exists(), 'trained again'
    record = json.loads((tmp_path / 'records' / 'family-cifar10-supcon.json').read_text())
    assert record['metrics']['knn/top1_k20'] == round(row['trained']['knn'], 4)
    assert record['metrics']['knn/top1_k20 (untrained)'] == round(row['untrained']['knn'], 4)
    assert record['commit'] == row['commit']
    assert record['command'].endswith(' --epochs 1 --images-per-class 26 --methods supcon')
    with pytest.raises(ValueError, match='was made with'):
        family.main([*common, '--epochs', '2'])


def test_one_that_fails_is_named_and_is_the_exit_status(family: Any, tmp_path: Path) -> None:
    out = tmp_path / 'out'
    common = ['--data-root', str(tmp_path / 'nothing'), '--out', str(out), '--methods', 'supcon']
    assert family.main(common) == 1
    assert '**supcon: failed with exit code 1**' in (out / 'table.md').read_text()
    assert 'No such file' in (out / 'supcon' / 'output.log').read_text()


def test_the_coloured_table_has_the_gap(family: Any) -> None:
    numbers = dict(biased=90.0, unbiased=60.0)
    row = dict(untrained=dict(biased=80.0, unbiased=10.0), trained=numbers, seconds=7, resumed=True)
    table = family.table(family.SUITES['coloured'], dict(supcon=row), {})
    assert '| supcon | 80.0 | 90.0 | +10.0 | 10.0 | 60.0 | +50.0 | 30.0 | 7 (resumed) |' in table


def test_unknown_methods_are_refused(family: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        family.main(['--methods', 'nonsense'])
    assert 'no method nonsense' in capsys.readouterr().err
