"""timm: ``create_model(name, num_classes=0, checkpoint_path=...)``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.export.read_back import installed, read_back
from mochi_mm.export.source import BackboneSource
from mochi_mm.export.target import Metadata, Target
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.models.backbones.timm_backbone import TimmBackbone

DEPTHS = (18, 34, 50, 101, 152)
_PREFIX = 'timm.'


def is_timm(source: BackboneSource) -> bool:
    """Return whether the backbone is a model of timm."""
    return bool(source.record['backbone']['type'] == TimmBackbone.__name__)


def timm_arguments(source: BackboneSource) -> dict[str, Any]:
    """Return what ``timm.create_model`` is called with."""
    recorded = source.record['backbone']
    if not is_timm(source):
        channels = recorded.get('in_channels', 3)
        taken = {} if channels == 3 else dict(in_chans=channels)
        return dict(model_name=f'resnet{recorded["depth"]}', num_classes=0, **taken)
    return dict(model_name=recorded['model_name'], num_classes=0, **recorded['model_kwargs'])


def timm_tensors(source: BackboneSource) -> dict[str, Tensor]:
    """Return the weights of a model of timm under its own names."""
    return {name.removeprefix(_PREFIX): tensor for name, tensor in source.tensors.items()}


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    if is_timm(source):
        source.module()
        write_safetensors(path, timm_tensors(source), metadata)
    else:
        source.resnet('timm', DEPTHS, any_channels=True)
        write_safetensors(path, source.tensors, metadata)


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    tensors = read_safetensors(path)[0]
    if not installed('timm'):  # then the source is no TimmBackbone: its module could not be built
        return read_back(source, tensors, images, 'timm')
    import timm

    arguments = timm_arguments(source)
    model = timm.create_model(**arguments)
    model.load_state_dict(tensors)
    return f'timm {timm.__version__} {arguments["model_name"]}', model.eval()(images)


def _usage(source: BackboneSource, name: str) -> str:
    given = ', '.join(f'{key}={value!r}' for key, value in timm_arguments(source).items())
    return f"timm.create_model({given}, checkpoint_path='{name}')"


TARGET = Target('timm', '.safetensors', _write, _features, _usage, any_channels=True)
