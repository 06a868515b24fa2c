"""A checkpoint of 0.1 gives the features that 0.1 gave, through every door.

``of_0_1.json`` was written by 0.1: the names, shapes and types of the state dict of a small MoCHi,
the record beside it, and the features of two images. The weights are those of :func:`filled`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.export.source import PooledBackbone, read_backbone_source
from mochi_mm.files.load_weights import load_backbone, load_for_test
from tests.models.algorithms.toy import build_moco

OF_0_1: dict[str, Any] = json.loads(Path(__file__).with_name('of_0_1.json').read_text())


def filled(number: int, name: str, shape: list[int], kind: str) -> Tensor:
    """Return the weight of a name: waves, around 1 where something is scaled by it."""
    if kind != 'float32':
        return torch.full(shape, 3, dtype=getattr(torch, kind))
    count = math.prod(shape)
    wave = torch.arange(count, dtype=torch.float64).mul(0.37).add(number).cos().mul(0.3)
    around = 1.0 if name.endswith(('running_var', 'weight')) and len(shape) == 1 else 0.0
    return (wave + around).float().reshape(shape)


def images() -> Tensor:
    """Return two images (2, 3, 16, 16)."""
    return (
        torch.arange(2 * 3 * 16 * 16, dtype=torch.float64).mul(0.7).sin().float().view(2, 3, 16, 16)
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    weights = {
        name: filled(number, name, shape, kind)
        for number, (name, shape, kind) in enumerate(OF_0_1['state_dict'])
    }
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=weights, meta=dict(epoch=1, mochi_mm=OF_0_1['record'])), path)
    return path


def assert_as_in_0_1(found: Tensor, name: str) -> None:
    torch.testing.assert_close(found, torch.tensor(OF_0_1[name]), rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_the_whole_model(file: Path) -> None:
    model = build_moco()
    load_for_test(model, file)
    model.eval()
    features = model.embed(images())
    assert_as_in_0_1(features.backbone, 'backbone')
    assert_as_in_0_1(features.neck, 'neck')
    assert_as_in_0_1(model.embed(images(), 'target').neck, 'averaged neck')
    names = [name for name, _, _ in OF_0_1['state_dict']]
    assert names == list(model.state_dict()), 'a state dict of today has the names of 0.1'


@torch.no_grad()
def test_the_backbone_alone(file: Path) -> None:
    """As training, detectors and measures start from it, and as every export reads it."""
    model = build_moco()
    load_backbone(model, file)
    assert_as_in_0_1(model.eval().embed(images()).backbone, 'backbone')
    exported = PooledBackbone(read_backbone_source(file).module())
    assert_as_in_0_1(exported(images()), 'backbone')
