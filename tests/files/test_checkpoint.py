"""Weights load whole or not at all, and never run code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone, load_for_test
from tests.models.algorithms.toy import build_moco


def test_backbone_from_a_run_and_from_bare_weights(tmp_path: Path) -> None:
    source = build_moco(seed=1)
    torch.save(dict(state_dict=source.state_dict(), meta=dict(epoch=3)), tmp_path / 'run.pth')
    torch.save(source.backbone.state_dict(), tmp_path / 'bare.pth')
    for name in ('run.pth', 'bare.pth'):
        target = build_moco(seed=2)
        neck = target.neck.layers[0].weight.clone()
        report = load_backbone(target, tmp_path / name)
        for key, value in source.backbone.state_dict().items():
            assert torch.equal(target.backbone.state_dict()[key], value), key
        assert torch.equal(target.neck.layers[0].weight, neck)
        total = len(source.backbone.state_dict())
        assert f'{total} of {total} weights matched, 0 in the file not used' in report


def test_incomplete_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    model = build_moco()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = dict(model.state_dict())
    del state['backbone.layer4.0.conv1.weight']
    torch.save(dict(state_dict=state), tmp_path / 'partial.pth')
    with pytest.raises(ValueError, match=r'the backbone: 1 of 72 .*layer4\.0\.conv1\.weight'):
        load_backbone(model, tmp_path / 'partial.pth')
    torch.save(dict(state_dict={'module.net.w': torch.zeros(1)}), tmp_path / 'foreign.pth')
    with pytest.raises(ValueError, match=r'foreign\.pth was not recognized: .*net\.w'):
        load_backbone(model, tmp_path / 'foreign.pth')
    wide = build_moco(
        backbone=dict(type='ResNet', depth=10, width=0.25, stem='small'),
        neck=dict(type='MLPNeck', in_channels=128, out_channels=8),
    )
    torch.save(wide.state_dict(), tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match='have another shape.*width 0.25.*width 0.125'):
        load_backbone(model, tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match='another shape'):
        load_for_test(model, tmp_path / 'wide.pth')
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no checkpoint at'):
        read_checkpoint(tmp_path / 'none.pth')
    (tmp_path / 'torn.pth').write_bytes(b'PK\x03\x04 torn')
    with pytest.raises(ValueError, match=r'torn\.pth cannot be read as a checkpoint'):
        read_checkpoint(tmp_path / 'torn.pth')
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(ValueError, match='cannot be read as a checkpoint'):
        read_checkpoint(tmp_path / 'text.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list; expected a dict'):
        read_checkpoint(tmp_path / 'list.pth')
    torch.save(dict(path=Path('x')), tmp_path / 'object.pth')
    with pytest.raises(ValueError, match='can run code'):
        read_checkpoint(tmp_path / 'object.pth')
