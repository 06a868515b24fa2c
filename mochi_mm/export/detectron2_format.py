"""detectron2: ``MODEL.WEIGHTS``; its own names, matched to the model by their endings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.export.pth_file import write_pth
from mochi_mm.export.read_back import installed, read_back
from mochi_mm.export.source import BackboneSource, PooledBackbone
from mochi_mm.export.target import Metadata, Target
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.name_styles import from_detectron2

DEPTHS = (18, 34, 50, 101, 152)
_COUNTER = '.num_batches_tracked'  # detectron2's frozen norms have none


def to_detectron2(name: str) -> str:
    """Return detectron2's name of torchvision's ``name``.

    ``conv1`` is ``stem.conv1``; ``layer1`` to ``layer4`` are ``res2`` to ``res5``; ``bn2`` is
    ``conv2.norm``; ``downsample.0`` and ``.1`` are ``shortcut`` and ``shortcut.norm``.
    """
    if not name.startswith('layer'):
        name = f'stem.{name}'
    name = re.sub(r'^layer(\d)', lambda found: f'res{int(found[1]) + 1}', name)
    name = re.sub(r'\bbn(\d)\.', r'conv\1.norm.', name)
    return name.replace('downsample.0.', 'shortcut.').replace('downsample.1.', 'shortcut.norm.')


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    source.resnet('detectron2', DEPTHS)
    model = {to_detectron2(n): t for n, t in source.tensors.items() if not n.endswith(_COUNTER)}
    # The model's names begin otherwise (backbone.bottom_up., roi_heads.): match by endings.
    content = dict(model=model, __author__='mochi_mm', matching_heuristics=True)
    write_pth(path, {**content, 'meta': dict(mochi_mm=source.record, export=metadata)})


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    tensors = read_checkpoint(path)['model']
    if not installed('detectron2'):
        ours = {from_detectron2(name): tensor for name, tensor in tensors.items()}
        return read_back(source, ours, images, 'detectron2')
    model, version = _library_model(source.record['backbone']['depth'])
    missing = model.load_state_dict(tensors, strict=False)
    wrong = [n for n in missing.missing_keys if not n.endswith(_COUNTER)] + missing.unexpected_keys
    if wrong:
        raise ValueError(f'detectron2 {version} does not know these weights: {wrong[:3]}.')
    features = PooledBackbone(_LastStage(model))(images)
    return f'detectron2 {version} build_resnet_backbone', features


class _LastStage(torch.nn.Module):
    """detectron2's backbone as a function of images to the map of its last stage."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, C, H, W)."""
        last: Tensor = self.model(images)['res5']
        return last


def _library_model(depth: int) -> tuple[Any, str]:
    import detectron2
    from detectron2.config import get_cfg
    from detectron2.layers import ShapeSpec
    from detectron2.modeling import build_resnet_backbone

    cfg = get_cfg()
    settings = cfg.MODEL.RESNETS
    settings.DEPTH, settings.NORM, settings.STRIDE_IN_1X1 = depth, 'BN', False
    settings.OUT_FEATURES = ['res5']
    if depth < 50:
        settings.RES2_OUT_CHANNELS = 64
    cfg.MODEL.BACKBONE.FREEZE_AT = 0
    return build_resnet_backbone(cfg, ShapeSpec(channels=3)).eval(), detectron2.__version__


def _usage(source: BackboneSource, name: str) -> str:
    mean, std = source.record.get('mean'), source.record.get('std')
    order = str(source.record.get('channel_order') or 'unknown').upper()
    return (
        f"MODEL: {{WEIGHTS: '{name}', PIXEL_MEAN: {mean}, PIXEL_STD: {std}, "
        f'RESNETS: {{DEPTH: {source.record["backbone"]["depth"]}, STRIDE_IN_1X1: False}}}}  '
        f'INPUT: {{FORMAT: {order}}}'
    )


TARGET = Target('detectron2', '.pth', _write, _features, _usage)
