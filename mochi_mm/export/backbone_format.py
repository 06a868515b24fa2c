"""Our own format: the file that training writes beside its checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from mochi_mm.export.source import BackboneSource, PooledBackbone, read_backbone_source
from mochi_mm.export.target import Metadata, Target
from mochi_mm.files.safetensors_file import write_safetensors


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    source.module()  # refuses weights that are not what the record says
    write_safetensors(path, source.tensors, metadata)


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    module = read_backbone_source(path).module()
    return 'read by this project', PooledBackbone(module)(images)


def _usage(source: BackboneSource, name: str) -> str:
    return f'python tools/test.py CONFIG {name}'


TARGET = Target(
    'backbone', '.safetensors', _write, _features, _usage, orders=None, any_channels=True
)
