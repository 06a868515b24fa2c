"""mmdet and the mm libraries: ``init_cfg=dict(type='Pretrained', checkpoint=...)``.

The one file outside ``mochi_mm/transfer`` that knows mmdet, where it is installed.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from mochi_mm.export.pth_file import write_pth
from mochi_mm.export.read_back import installed, read_back
from mochi_mm.export.source import BackboneSource, PooledBackbone
from mochi_mm.export.target import Metadata, Target
from mochi_mm.files.checkpoint import read_checkpoint

DEPTHS = (18, 34, 50, 101, 152)


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    source.resnet('mmdet', DEPTHS, any_width=True)
    # The names are torchvision's, which mmdet shares. Its loader takes .pth, not safetensors.
    meta = dict(mochi_mm=source.record, export=metadata)
    write_pth(path, dict(state_dict=source.tensors, meta=meta))


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    tensors = read_checkpoint(path)['state_dict']
    if not installed('mmdet', 'mmcv'):
        return read_back(source, tensors, images, 'mmdet')
    import mochi_mm.transfer  # noqa: F401  mmcv's operators where it was not compiled

    # Ordered: mmdet imports only after the line above.
    import mmdet  # isort: skip
    from mmdet.models.backbones import ResNet  # isort: skip

    model = ResNet(norm_cfg=dict(type='BN'), style='pytorch', norm_eval=False, **_arguments(source))
    model.load_state_dict(tensors)
    model.eval()  # which returns nothing there
    return f'mmdet {mmdet.__version__} ResNet', PooledBackbone(model)(images)


def _arguments(source: BackboneSource) -> dict[str, int]:
    recorded = source.record['backbone']
    channels = round(64 * recorded['width'])
    return dict(depth=recorded['depth'], base_channels=channels, stem_channels=channels)


def _usage(source: BackboneSource, name: str) -> str:
    arguments = _arguments(source)
    if arguments['base_channels'] == 64:
        arguments = dict(depth=arguments['depth'])
    given = ', '.join(f'{key}={value}' for key, value in arguments.items())
    return (
        f"backbone=dict(type='ResNet', {given}, style='pytorch', "
        f"init_cfg=dict(type='Pretrained', checkpoint='{name}'))"
    )


TARGET = Target('mmdet', '.pth', _write, _features, _usage, orders=('rgb', 'bgr'))
