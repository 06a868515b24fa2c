"""The fast linear probe from the command line: its figure, its files, its record."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.linear_classifier import choose_l2, fit_linear
from mochi_mm.experiments.measures import fast_linear
from mochi_mm.experiments.result_record import FIELDS
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.tools.analysis.test_knn_tool import HOOK, LOOP, write
from tests.toy_runner import REPOSITORY


@pytest.fixture(scope='module')
def tool() -> Any:
    return runpy.run_path(str(REPOSITORY / 'tools/analysis/linear_probe.py'))['main']


def expected(values: list[float]) -> dict[str, float]:
    model = toy_model(5)
    x, y = extract_features(model, toy_loader(ToyImages(30, noise=1000)))
    x_test, y_test = extract_features(model, toy_loader(ToyImages(12, seed=1, noise=1000)))
    found = fit_linear(x, y, choose_l2(x, y, values)[0]).accuracy(x_test, y_test)
    return {f'fast_linear/{name}': value for name, value in found.items()}


@pytest.mark.parametrize('text', [LOOP, HOOK])
def test_it_is_the_probe_of_the_features(tool: Any, text: str, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, text)
    record = tmp_path / 'record.json'
    arguments = [config, checkpoint, '--device', 'cpu', '--l2', '0.001', '0.1']
    found = tool([*arguments, '--record', str(record)])
    assert found == expected([0.001, 0.1])
    written = json.loads(record.read_text())
    assert tuple(written) == FIELDS and written['metrics'] == pytest.approx(found, abs=1e-4)
    assert written['protocol'].startswith('fast linear probe (L-BFGS on cached features, l2 0.')
    assert written['protocol'].endswith(' of 0.001 0.1)')


def test_the_values_are_those_of_the_sweeps(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, LOOP)
    record = tmp_path / 'record.json'
    assert tool([config, checkpoint, '--device', 'cpu', '--record', str(record)]) == expected(
        list(fast_linear.L2_GRID)
    )
    assert json.loads(record.read_text())['protocol'].endswith(' of 0.0001 0.001 0.01)')


def test_groups_of_classes(tool: Any, tmp_path: Path) -> None:
    """Five training images of each class, so all of them are in one group."""
    config, checkpoint = write(tmp_path, LOOP)
    arguments = [config, checkpoint, '--device', 'cpu', '--l2', '0.001', '--cuts', '5', '5']
    found, plain = tool(arguments), expected([0.001])
    top1 = plain['fast_linear/top1']
    assert found == {**plain, 'fast_linear/medium_5to5': pytest.approx(top1)}


def test_other_classes_in_the_test_set(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, LOOP)
    Path(config).write_text(
        Path(config).read_text() + "\ntest_dataloader['dataset']['classes'] = list('123456')\n"
    )
    with pytest.raises(ValueError, match="only the training data set has '0'"):
        tool([config, checkpoint, '--device', 'cpu', '--l2', '0.1'])


def test_features_of_another_checkpoint_are_refused(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, LOOP)
    kept = ['--features', str(tmp_path / 'features'), '--device', 'cpu', '--l2', '0.1']
    first = tool([config, checkpoint, *kept])
    assert tool([config, checkpoint, *kept]) == first == expected([0.1])
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict=toy_model(6).state_dict()), other)
    with pytest.raises(ValueError, match='another checkpoint: its backbone has the digest'):
        tool([config, str(other), *kept])
    mean = ['--cfg-options', 'model.data_preprocessor.mean=[9.0, 9.0, 9.0]']
    std = 'model.data_preprocessor.std=[50.0, 50.0, 50.0]'
    text = (
        Path(config).read_text()
        + "\nmodel['data_preprocessor'] = dict(type='ViewDataPreprocessor')\n"
    )
    Path(config).write_text(text)
    with pytest.raises(ValueError, match='another network or preprocessor'):
        tool([config, checkpoint, *kept, *mean, std])


def test_groups_of_classes_are_those_of_the_config(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, f'{LOOP}test_cfg["cuts"] = (5, 5)\n')
    arguments = [config, checkpoint, '--device', 'cpu', '--l2', '0.001']
    found = tool(arguments)
    assert found == tool([*arguments, '--cuts', '5', '5']) and len(found) > 2
