"""What a run goes on from: which parts are taken, what is new, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import resnet18

from mochi_mm.files.load_start import load_start
from tests.models.algorithms.toy import build_moco, moco_config


@pytest.fixture
def trained(tmp_path: Path) -> tuple[Any, Path]:
    """A checkpoint of this project, whose averaged encoder is another than the trained one."""
    torch.manual_seed(1)
    model = build_moco()
    for parameter in model.key_encoder.parameters():
        parameter.data.add_(1)
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return model, path


def state(module: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_both_encoders_and_the_neck_of_an_own_checkpoint(trained: tuple[Any, Path]) -> None:
    torch.manual_seed(2)
    model = build_moco()
    report = load_start(model, trained[1])
    for part in ('backbone', 'neck'):
        for name, value in getattr(trained[0], part).state_dict().items():
            assert torch.equal(getattr(model, part).state_dict()[name], value), name
            assert torch.equal(model.key_encoder[part].state_dict()[name], value), name
    assert 'Taken beside it: neck (4). New, as initialized: head (' in report


@pytest.mark.parametrize('kind', ['backbone alone', 'another neck'])
def test_what_is_new_is_named(trained: tuple[Any, Path], tmp_path: Path, kind: str) -> None:
    tensors = dict(trained[0].state_dict())
    if kind == 'backbone alone':
        tensors = {name: value for name, value in tensors.items() if name.startswith('backbone.')}
    else:
        tensors['neck.layers.2.weight'] = torch.zeros(9, 64)
    torch.save(dict(state_dict=tensors, meta={}), tmp_path / 'other.pth')
    torch.manual_seed(2)
    model = build_moco()
    before = state(model.neck)
    report = load_start(model, tmp_path / 'other.pth')
    assert 'Taken beside it: nothing. New, as initialized: ' in report and 'neck (4)' in report
    for name, value in before.items():
        assert torch.equal(model.neck.state_dict()[name], value)
        assert torch.equal(model.key_encoder['neck'].state_dict()[name], value)
    for name, value in trained[0].backbone.state_dict().items():
        assert torch.equal(model.key_encoder['backbone'].state_dict()[name], value), name


def test_another_architecture_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    torch.save(resnet18().state_dict(), tmp_path / 'resnet18.pth')
    model = build_moco()
    before = state(model)
    with pytest.raises(ValueError, match='does not cover the backbone'):
        load_start(model, tmp_path / 'resnet18.pth')
    for name, value in before.items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_stem_of_three_channels_goes_into_one_of_five(trained: tuple[Any, Path]) -> None:
    backbone = dict(moco_config()['backbone'], in_channels=5)
    five = dict(type='ViewDataPreprocessor', mean=[0.5] * 5, std=[1.0] * 5)
    model = build_moco(backbone=backbone, data_preprocessor=five)
    with pytest.raises(ValueError, match='images of 3 channels, the model of 5: --adapt-stem mean'):
        load_start(model, trained[1])
    report = load_start(model, trained[1], adapt_stem='mean')
    kernels = trained[0].backbone.conv1.weight.mean(1, keepdim=True).expand(-1, 5, -1, -1)
    for encoder in (model.backbone, model.key_encoder['backbone']):
        torch.testing.assert_close(encoder.conv1.weight, kernels * 3 / 5)
    assert 'Taken beside it: neck (4)' in report


def test_a_neck_that_is_not_finite_is_refused(trained: tuple[Any, Path]) -> None:
    content = torch.load(trained[1], weights_only=True)
    content['state_dict']['neck.layers.2.bias'][0] = torch.inf
    torch.save(content, trained[1])
    model = build_moco()
    before = state(model)
    with pytest.raises(ValueError, match='neck.layers.2.bias'):
        load_start(model, trained[1])
    assert torch.equal(model.state_dict()['backbone.conv1.weight'], before['backbone.conv1.weight'])
