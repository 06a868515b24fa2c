"""A model of timm on the Hugging Face hub: the folder that timm and transformers both read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from mochi_mm.export.read_back import installed
from mochi_mm.export.source import BackboneSource
from mochi_mm.export.timm_format import timm_arguments
from mochi_mm.models.backbones.timm_backbone import TimmBackbone

#: Pixels of the preprocessor, where the network takes any.
SIZE = (224, 224)
CROP = 0.875


def timm_config(source: BackboneSource) -> dict[str, Any]:
    """Return the content of ``config.json``, images and preprocessing among it."""
    mean, std = source.normalization()
    module = cast(TimmBackbone, source.module())
    size = module.image_size
    arguments = timm_arguments(source)
    name, classes = arguments.pop('model_name'), arguments.pop('num_classes')
    return dict(
        architectures=['TimmWrapperModel'],
        model_type='timm_wrapper',
        architecture=name,
        num_classes=classes,
        num_features=module.out_channels,
        model_args=arguments,
        pretrained_cfg=dict(
            input_size=[3, *(size or SIZE)],
            fixed_input_size=size is not None and not arguments.get('dynamic_img_size', False),
            interpolation='bilinear',
            crop_pct=CROP,
            crop_mode='center',
            mean=[value / 255 for value in mean],
            std=[value / 255 for value in std],
            num_classes=classes,
        ),
    )


@torch.no_grad()
def timm_features(path: Path, images: Tensor) -> tuple[str, Tensor]:
    """Return how the folder at ``path`` was read, and the features (B, C) of its network."""
    if not installed('transformers'):
        import timm

        model = timm.create_model(f'local-dir:{path}', pretrained=True, num_classes=0)
        return f'timm {timm.__version__}; transformers is not installed', model.eval()(images)
    import transformers

    wrapped, report = transformers.TimmWrapperModel.from_pretrained(
        str(path), local_files_only=True, output_loading_info=True
    )
    wrong = sorted(str(key) for keys in report.values() for key in keys)
    if wrong:
        raise ValueError(f'transformers does not take these weights as they are: {wrong[:3]}.')
    features = wrapped.eval()(pixel_values=images).pooler_output
    return f'transformers {transformers.__version__} TimmWrapperModel', features
