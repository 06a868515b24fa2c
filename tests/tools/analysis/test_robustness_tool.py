"""tools/analysis/robustness.py: its figures, its record, what it refuses."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.experiments.result_record import FIELDS
from mochi_mm.models.algorithms import ImageClassifier
from mochi_mm.models.heads import LinearHead
from tests.evaluation.toy import ToyBackbone, toy_model
from tests.tools.analysis.test_knn_tool import LOOP, write
from tests.toy_runner import REPOSITORY

FEW = ['--device', 'cpu', '--steps', '2', '--epsilons', '4/255']


@pytest.fixture(scope='module')
def tool() -> Any:
    return runpy.run_path(str(REPOSITORY / 'tools/analysis/robustness.py'))['main']


def test_the_probe_is_attacked_and_recorded(tool: Any, tmp_path: Path, capsys: Any) -> None:
    config, checkpoint = write(tmp_path, LOOP.replace('noise=1000', 'noise=200'))
    record = tmp_path / 'record.json'
    more = ['--l2', '0.001', '--num-images', '9', '--record', str(record)]
    found = tool([config, checkpoint, *FEW, *more])
    assert found['robustness/pgd2_linf_4'] <= found['robustness/clean'] > 50
    assert found['robustness/pgd2_linf_128'] == 0 and len(found) == 28 - 1
    written = json.loads(record.read_text())
    assert tuple(written) == FIELDS and written['metrics'] == pytest.approx(found, abs=1e-4)
    words = 'PGD-2 (linf) and corruptions of fast linear probe (l2 0.001), 9 images'
    assert written['protocol'] == words
    assert 'Masked gradients: no sign of them.' in capsys.readouterr().out


def test_the_own_classifier(tool: Any, tmp_path: Path) -> None:
    """Of a whole model; the weights of its head must be there, and a penalty has no part in it."""
    toy_model()
    torch.manual_seed(3)
    model = ImageClassifier(ToyBackbone(), LinearHead(6, 16))
    text = LOOP.replace(
        "model = dict(type='ToyAlgorithm', backbone=dict(type='ToyBackbone'))",
        "model = dict(type='ImageClassifier', backbone=dict(type='ToyBackbone'),\n"
        "             head=dict(type='LinearHead', num_classes=6, in_channels=16))",
    )
    config, bare = write(tmp_path, text)
    whole = tmp_path / 'whole.pth'
    torch.save(dict(state_dict=model.state_dict()), whole)
    few = [*FEW, '--corruptions', 'noise', '--num-images', '6']
    assert len(tool([config, str(whole), *few])) == 1 + 1 + 4 + 5 + 1
    with pytest.raises(ValueError, match='--l2 is given, but the model has a head'):
        tool([config, str(whole), *few, '--l2', '0.1'])
    with pytest.raises(ValueError, match=r'a head that classifies, and .* holds no memory'):
        tool([config, bare, *few])


def test_explanations_are_added(tool: Any, tmp_path: Path) -> None:
    config, checkpoint = write(tmp_path, LOOP.replace('noise=1000', 'noise=200'))
    record = tmp_path / 'record.json'
    few = [*FEW, '--l2', '0.001', '--corruptions', 'noise', '--num-images', '9']
    found = tool([config, checkpoint, *few, '--explain', 'conv', '--record', str(record)])
    names = {'average_drop', 'rate_of_increase', 'explained', 'calibration_error'}
    assert {f'robustness/{name}' for name in names} < set(found)
    assert json.loads(record.read_text())['protocol'].endswith('9 images, Grad-CAM at conv')
    with pytest.raises(ValueError, match=r"layer is 'layer9', which ToyBackbone does not have"):
        tool([config, checkpoint, *few, '--explain', 'layer9'])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--epsilons', '8'], 'epsilon is 8.0; expected a share of the range'),
        (['--corruptions', 'fog'], "corruptions are .'fog'.; expected some of noise, blur"),
        (['--norm', 'l2'], '--norm l2 is given without --epsilons and --large'),
        (['--steps', '0'], 'steps is 0'),
    ],
)
def test_settings_are_refused_before_anything_is_read(
    tool: Any, arguments: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        tool(['none.py', 'none.pth', *arguments])


def test_arguments_are_refused(tool: Any, tmp_path: Path, capsys: Any) -> None:
    for arguments, message in (
        (['--epsilons', 'eight'], "'eight' is no radius; expected a share"),
        (['--num-images', '0'], '--num-images is 0; expected at least 1'),
        (['--record', str(tmp_path)], 'is a folder; expected a file'),
        (['--epsilon', '0.1', '--nosie'], 'unrecognized arguments: --nosie'),
    ):
        with pytest.raises(SystemExit):
            tool(['none.py', 'none.pth', *arguments])
        assert message in capsys.readouterr().err
