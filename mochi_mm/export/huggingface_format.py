"""Hugging Face: a folder that ``from_pretrained`` of transformers' models reads."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.export.huggingface_timm import timm_config, timm_features
from mochi_mm.export.read_back import installed, read_back
from mochi_mm.export.source import BackboneSource
from mochi_mm.export.target import Metadata, Target
from mochi_mm.export.timm_format import is_timm, timm_tensors
from mochi_mm.files.backbone_file import UNSPECIFIED
from mochi_mm.files.name_styles import from_transformers
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.models.backbones.resnet import ARCHITECTURES

WEIGHTS = 'model.safetensors'
_LICENCES = (
    'apache-2.0',
    'bsd-2-clause',
    'bsd-3-clause',
    'cc-by-4.0',
    'cc-by-nc-4.0',
    'cc-by-nc-sa-4.0',
    'cc-by-sa-4.0',
    'cc0-1.0',
    'gpl-3.0',
    'mit',
)
_TEXT = (
    'A backbone trained by contrastive learning, exported by mochi_mm; its features are',
    '`pooler_output`. The preprocessor takes the crop of ImageNet, whatever the size of',
    'the images it was trained on.',
    '',
    '| | |',
    '|---|---|',
    '',
)
_BLOCK = re.compile(r'^layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(.+)$')
_STEM = {
    'conv1.': 'embedder.embedder.convolution.',
    'bn1.': 'embedder.embedder.normalization.',
}


def to_transformers(name: str) -> str:
    """Return transformers' name of torchvision's ``name``."""
    found = _BLOCK.match(name)
    if found is None:
        stem, rest = name.split('.', 1)
        return _STEM[f'{stem}.'] + rest
    stage, block, kind, number, rest = found.groups()
    place = f'encoder.stages.{int(stage) - 1}.layers.{block}.'
    if kind == 'downsample.':
        return f'{place}shortcut.{("convolution", "normalization")[int(number)]}.{rest}'
    part = 'convolution' if kind == 'conv' else 'normalization'
    return f'{place}layer.{int(number) - 1}.{part}.{rest}'


def model_config(source: BackboneSource) -> dict[str, Any]:
    """Return the content of ``config.json``; any depth and width fits."""
    backbone = source.resnet('transformers', tuple(ARCHITECTURES), any_width=True)
    block, layers = ARCHITECTURES[backbone.depth]
    return dict(
        architectures=['ResNetModel'],
        model_type='resnet',
        num_channels=3,
        embedding_size=backbone.conv1.out_channels,
        hidden_sizes=list(backbone.stage_channels),
        depths=list(layers),
        layer_type='bottleneck' if block.expansion == 4 else 'basic',
        hidden_act='relu',
        downsample_in_first_stage=False,
        downsample_in_bottleneck=False,  # the stride is in the 3x3
    )


def preprocessor_config(source: BackboneSource) -> dict[str, Any]:
    """Return the content of ``preprocessor_config.json``: the crop of ImageNet's evaluation."""
    mean, std = source.record.get('mean'), source.record.get('std')
    statistics = {}
    if mean is not None and std is not None:
        statistics = dict(image_mean=[v / 255 for v in mean], image_std=[v / 255 for v in std])
    return dict(
        image_processor_type='ConvNextImageProcessor',
        do_resize=True,
        size=dict(shortest_edge=224),
        crop_pct=0.875,  # the shorter side to 256, then the middle 224 x 224
        resample=2,  # bilinear
        do_rescale=True,
        rescale_factor=1 / 255,
        do_normalize=bool(statistics),
        **statistics,
    )


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    texts = {'README.md': _card(source, metadata)}
    if is_timm(source):
        tensors = timm_tensors(source)
        texts['config.json'] = json.dumps(timm_config(source), indent=2)
    else:
        texts['config.json'] = json.dumps(model_config(source), indent=2)
        tensors = {to_transformers(name): tensor for name, tensor in source.tensors.items()}
        texts['preprocessor_config.json'] = json.dumps(preprocessor_config(source), indent=2)
    write_safetensors(path / WEIGHTS, tensors, metadata)
    for name, text in texts.items():
        (path / name).write_text(text + '\n', encoding='utf-8')


def _card(source: BackboneSource, metadata: Metadata) -> str:
    said = {key: html.escape(metadata[key], quote=False).replace('|', '&#124;') for key in metadata}
    rows = '\n'.join(f'| {key} | {said[key]} |' for key in said if key != 'mochi_mm')
    head = ['library_name: transformers', 'pipeline_tag: image-feature-extraction']
    return '\n'.join(['---', *head, *_licence(metadata['licence']), '---', '', *_TEXT]) + rows


def _licence(name: str) -> list[str]:
    """Return the lines on the license in the head of a card; the hub has a list of names."""
    if name == UNSPECIFIED:
        return []
    if name.lower() in _LICENCES:
        return [f'license: {name.lower()}']
    return ['license: other', f'license_name: {json.dumps(name)}']


@torch.no_grad()
def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    if is_timm(source):
        return timm_features(path, images)
    if not installed('transformers'):
        tensors = {from_transformers(n): t for n, t in read_safetensors(path / WEIGHTS)[0].items()}
        return read_back(source, tensors, images, 'transformers')
    import transformers

    model, report = transformers.ResNetModel.from_pretrained(
        str(path), local_files_only=True, output_loading_info=True
    )
    wrong = sorted(str(key) for keys in report.values() for key in keys)
    if wrong:
        raise ValueError(f'transformers does not take these weights as they are: {wrong[:3]}.')
    features = model.eval()(pixel_values=images).pooler_output.flatten(1)
    return f'transformers {transformers.__version__} ResNetModel', features


def _usage(source: BackboneSource, name: str) -> str:
    if is_timm(source):
        return (
            f"transformers.TimmWrapperModel.from_pretrained('{name}')  "
            f"# or timm.create_model('local-dir:{name}', pretrained=True)"
        )
    return f"transformers.ResNetModel.from_pretrained('{name}')"


TARGET = Target('huggingface', '', _write, _features, _usage)
