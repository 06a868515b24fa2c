"""A timm model starts as timm made it: drawn by its own rules, or from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

timm = pytest.importorskip('timm', reason='timm is not installed')
from mochi_mm.models.backbones import TimmBackbone
from mochi_mm.registry import MODELS


def test_loaded_weights_stay_when_the_model_is_initialised(tmp_path: Path) -> None:
    trained = TimmBackbone('resnet10t')
    for file in ('weights.pth', 'weights of a run.pth'):
        state = trained.timm.state_dict()
        torch.save(state if file == 'weights.pth' else dict(state_dict=state), tmp_path / file)
        loaded = TimmBackbone('resnet10t', dict(checkpoint_path=str(tmp_path / file)))
        loaded.init_weights()
        for name, value in loaded.timm.state_dict().items():
            assert torch.equal(value, state[name]), name


def test_how_timm_draws_can_be_chosen() -> None:
    """The last norm of a block begins at zero, unless timm is told otherwise."""
    for zero in (True, False):
        model = TimmBackbone('resnet10t', dict(zero_init_last=zero))
        model.init_weights()
        assert bool((model.timm.layer1[0].bn2.weight == 0).all()) == zero


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'absent\.pth'):
        TimmBackbone('resnet10t', dict(checkpoint_path=str(tmp_path / 'absent.pth')))


def test_is_the_network_of_timm() -> None:
    net = MODELS.build(dict(type='TimmBackbone', model_name='resnet10t')).eval()
    images = torch.randn(2, 3, 64, 64)
    (features,) = net(images)
    assert features.shape == (2, net.out_channels)
    theirs = timm.create_model('resnet10t', num_classes=0).eval()
    theirs.load_state_dict(net.timm.state_dict())
    torch.testing.assert_close(features, theirs(images))
    with pytest.raises(ValueError, match="'resnet10x'.*nearest names"):
        MODELS.build(dict(type='TimmBackbone', model_name='resnet10x'))
