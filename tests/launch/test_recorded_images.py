"""Weights meet the images that they were trained on, whatever door they come in by."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.engine.hooks.pretrained_hook import PretrainedHook
from mochi_mm.evaluation.analysis.load_model import load_for_analysis
from mochi_mm.files.load_weights import load_backbone, load_for_test
from mochi_mm.launch.get_model import get_model
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco, moco_config
from tests.toy_runner import REPOSITORY, runner_config

#: Of the training; a config that leaves them out has ImageNet's.
OURS = dict(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0])
PREPROCESSOR = dict(type='ViewDataPreprocessor', **OURS)
LAB = dict(type='ColorSpaceDataPreprocessor', space='lab')


def model_of(settings: dict[str, Any]) -> Any:
    return MODELS.build(moco_config(**settings))


def by_hook(path: Path, settings: dict[str, Any]) -> Any:
    config = runner_config(path.parent / 'run', pretrained=str(path))
    config.model.update(settings)
    runner = build_runner(config)
    PretrainedHook().before_train(runner)
    return runner


def by_init_cfg(path: Path, settings: dict[str, Any]) -> Any:
    config = runner_config(path.parent / 'run')
    config.model.update(settings)
    config.model.backbone.init_cfg = dict(
        type='Pretrained', checkpoint=str(path), prefix='backbone'
    )
    runner = build_runner(config)
    runner._init_model_weights()
    return runner


def by_probe_tool(path: Path, settings: dict[str, Any]) -> Any:
    """The fast linear probe, as far as its network and images."""
    text = f"""
default_scope = 'mochi_mm'
model = dict({', '.join(f'{k}={v!r}' for k, v in moco_config(**settings).items())})
loader = dict(
    batch_size=4, num_workers=0, collate_fn=dict(type='default_collate'),
    sampler=dict(type='KeyedSampler', shuffle=False),
    dataset=dict(type='ShapeScenes', num_scenes=8, image_size=24, pipeline=[
        dict(type='Resize', size=16), dict(type='CenterCrop', size=16), dict(type='PackInputs')]))
test_dataloader = loader
test_cfg = dict(type='KNNLoop', k=[1], bank_dataloader=loader)
test_evaluator = []
"""
    config = path.parent / 'knn.py'
    config.write_text(text)
    tool = runpy.run_path(str(REPOSITORY / 'tools/analysis/linear_probe.py'))
    return tool['load'](tool['parse_args']([str(config), str(path)]), 'cpu')


DOORS: dict[str, Callable[[Path, dict[str, Any]], Any]] = {
    'kNN, and the fast probe': lambda path, settings: load_backbone(model_of(settings), path),
    'test.py': lambda path, settings: load_for_test(model_of(settings), path),
    'analyses, and sweeps': lambda path, settings: load_for_analysis(model_of(settings), path),
    'get_model': lambda path, settings: get_model(dict(model=moco_config(**settings)), path),
    'a run with PretrainedHook': by_hook,
    'a run with init_cfg': by_init_cfg,
    'linear_probe.py': by_probe_tool,
}


def checkpoint(folder: Path, **record: Any) -> Path:
    """A whole network, recorded as trained on :data:`OURS`."""
    about = dict(channel_order='rgb', algorithm='MoCo', backbone={}, **OURS)
    about.update(record)
    torch.save(
        dict(state_dict=build_moco(1).state_dict(), meta=dict(mochi_mm=about)),
        folder / 'weights.pth',
    )
    return folder / 'weights.pth'


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({}, 'mean: trained with 1 2 3, the config uses 123'),
        (dict(data_preprocessor=dict(PREPROCESSOR, std=[9.0] * 3)), 'std: trained with 4 5 6'),
        (dict(data_preprocessor=LAB), 'channel order: trained on rgb, the config feeds lab'),
    ],
    ids=['mean', 'std', 'channel order'],
)
def test_other_images_are_refused(
    tmp_path: Path, door: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        DOORS[door](checkpoint(tmp_path), settings)
    assert 'weights.pth' in str(error.value)


@pytest.mark.parametrize('door', DOORS)
def test_the_same_images_are_taken(tmp_path: Path, door: str) -> None:
    """And no door changes what the config says of them."""
    found = DOORS[door](checkpoint(tmp_path), dict(data_preprocessor=PREPROCESSOR))
    model = found[0] if isinstance(found, tuple) else getattr(found, 'model', found)
    if isinstance(model, torch.nn.Module):
        assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]
        weights = torch.load(tmp_path / 'weights.pth', weights_only=True)['state_dict']
        for name, value in model.backbone.state_dict().items():
            assert torch.equal(value, weights[f'backbone.{name}']), name


def test_other_images_are_allowed_by_init_cfg(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    config = runner_config(tmp_path / 'run')
    config.model.backbone.init_cfg = dict(
        type='Pretrained', checkpoint=str(path), prefix='backbone', allow_other_input=True
    )
    runner = build_runner(config)
    runner._init_model_weights()
    weights = torch.load(path, weights_only=True)['state_dict']
    for name, value in runner.model.backbone.state_dict().items():
        assert torch.equal(value, weights[f'backbone.{name}']), name
