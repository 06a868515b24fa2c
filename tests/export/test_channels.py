"""Backbones of images of other than three channels: who takes them, and who is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.export.export_backbone import export_backbone
from mochi_mm.export.source import read_backbone_source
from mochi_mm.export.targets import TARGETS
from mochi_mm.files.check_input import contradictions, input_of
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.origin import Input
from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.files.weights_record import record_of
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import moco_config


@pytest.fixture(scope='module')
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as a run writes it, of a ResNet-18 for images of four channels."""
    config = moco_config()
    config['backbone'] = dict(type='ResNet', depth=18, width=1.0, in_channels=4)
    config['neck']['in_channels'] = 512
    config['data_preprocessor'] = dict(
        type='ViewDataPreprocessor', mean=[90.0, 80.0, 70.0, 20.0], std=[50.0, 51.0, 52.0, 9.0]
    )
    torch.manual_seed(0)
    model = MODELS.build(config)
    meta = dict(mochi_mm=describe_weights(model, dict(model=config)))
    path = tmp_path_factory.mktemp('four') / 'four.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path


def test_the_record(four: Path) -> None:
    record = record_of(read_checkpoint(four), four)
    assert record is not None and record['mean'] == [90.0, 80.0, 70.0, 20.0]
    assert record['channel_order'] == '4 channels' and record['backbone']['in_channels'] == 4
    with pytest.raises(ValueError, match=r'conv1\.weight: \(64, 4, 7, 7\) in the file'):
        load_backbone(MODELS.build(dict(type='ResNet', depth=18)), four)
    trained = read_backbone_source(four)
    assert trained.channels() == 4
    fed = Input(tuple(record['mean']), tuple(record['std']), record['channel_order'])
    (order, mean, std) = contradictions(input_of(MODELS.build(moco_config())), fed)
    assert 'trained on rgb, the detector feeds 4 channels' in order
    assert 'uses 90 80 70 20' in mean and 'uses 50 51 52 9' in std


@pytest.mark.parametrize('to', ['backbone', 'timm', 'onnx'])
def test_held(to: str, four: Path, tmp_path: Path) -> None:
    if to != 'backbone':
        pytest.importorskip(to)
    out, about = export_backbone(four, to, tmp_path / f'a{TARGETS[to].suffix}')
    assert about['equality']['images'] == [2, 4, 96, 64]
    assert about['mean_255'] == [90.0, 80.0, 70.0, 20.0] and out.is_file()
    if to == 'timm':
        assert 'in_chans=4' in about['usage']
    if to == 'onnx':
        assert 'images of 4 channels' in about['usage']


@pytest.mark.parametrize('to', ['torchvision', 'detectron2', 'mmdet', 'huggingface'])
def test_refused_by_name(to: str, four: Path, tmp_path: Path) -> None:
    able = 'timm, onnx, backbone'
    said = f'images of 4 channels, and {to} reads images of 3. Export it with --to {able}'
    with pytest.raises(ValueError, match=said):
        export_backbone(four, to, tmp_path / 'a')
    assert not list(tmp_path.iterdir())
