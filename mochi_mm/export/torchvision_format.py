"""torchvision: ``resnet50().load_state_dict(..., strict=False)``; only ``fc`` is missing."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn

from mochi_mm.export.source import BackboneSource
from mochi_mm.export.target import Metadata, Target
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors

DEPTHS = (18, 34, 50, 101, 152)


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    source.resnet('torchvision', DEPTHS)
    write_safetensors(path, source.tensors, metadata)  # the names are torchvision's already


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    depth = source.resnet('torchvision', DEPTHS).depth
    model = torchvision.models.get_model(f'resnet{depth}', weights=None)
    model.fc = nn.Identity()
    model.load_state_dict(read_safetensors(path)[0])
    return f'torchvision {torchvision.__version__} resnet{depth}', model.eval()(images)


def _usage(source: BackboneSource, name: str) -> str:
    depth = source.record['backbone']['depth']
    return (
        f'torchvision.models.resnet{depth}().load_state_dict('
        f"safetensors.torch.load_file('{name}'), strict=False)  # fc is missing"
    )


TARGET = Target('torchvision', '.safetensors', _write, _features, _usage)
