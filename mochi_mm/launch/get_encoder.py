"""A network that makes features, by config and weights or by weights that record what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.registry import init_default_scope
from torch import nn

from mochi_mm.evaluation.encoder import Encoder
from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.weight_sets import weights_of
from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.files.weights_record import KEY, record_of
from mochi_mm.files.weights_source import read_source
from mochi_mm.launch.build import ConfigLike, build
from mochi_mm.launch.config import load_config
from mochi_mm.launch.fresh_model import quiet
from mochi_mm.launch.named_configs import find_config, is_name
from mochi_mm.models.algorithms import ImageClassifier
from mochi_mm.models.backbones.recorded import (
    build_recorded,
    checked_backbone,
    outline_recorded,
)
from mochi_mm.models.data_preprocessors import ColorSpaceDataPreprocessor, ViewDataPreprocessor
from mochi_mm.registry import SCOPE
from mochi_mm.utils.checks import check_integer

_WEIGHTS = ('.pth', '.pt', '.tar', '.safetensors')
#: Up to this many pixels an image is taken whole; above, its middle is 7/8 of the short side.
_WHOLE = 64
# Loaders of a config whose images pass through no random views, the likeliest first.
_LOADERS = ('query_dataloader', 'test_dataloader', 'val_dataloader', 'bank_dataloader')
# Settings of a data set that say how its files are read.
_READING = ('channels', 'bits')
_ORDER = re.compile(r'rgb|lab|ycbcr|[0-9]+ channels?')


def get_encoder(
    model: ConfigLike | None = None,
    weights: str | Path | None = None,
    size: int | None = None,
    checkpoint_key: str | None = None,
    allow_other_input: bool = False,
    own_input: bool = False,
) -> Encoder:
    """Return the network of a config with weights, or the one that a weight file records.

    Args:
        model: Name of a config of the project (:func:`mochi_mm.list_models`), the path of one, or
            a whole config; or a weight file, in place of ``weights``. None takes the network that
            ``weights`` records, as checkpoints and exports of this project do.
        weights: Any file with the backbone; None leaves the network as ``init_weights`` draws it
            from torch's global generator.
        size: Pixels of the sides of the images, in place of the config's pipeline: resized to the
            short side, and the middle cut out. None takes that pipeline; where there is no config,
            the size that a backbone is made for, 32 for a stem ``small``, else 224.
        checkpoint_key: See :func:`mochi_mm.files.load_weights.load_backbone`.
        allow_other_input: Likewise.
        own_input: Normalize as the weights were trained, where the file or the program that wrote
            it says how, instead of as the config does.

    Raises:
        KeyError: No config of that name, or an unknown component.
        FileNotFoundError: No such config or file.
        ValueError: Neither config nor weights; a file that records no network; weights that do not
            fit, or were trained on other images; a config that says nothing of its images.
    """
    if size is not None:
        check_integer('size', size, 224)
    if is_weight_file(model) and weights is None:
        model, weights = None, model
    if model is None and weights is None:
        raise ValueError('neither a model nor weights; expected a config, a weight file, or both.')
    if model is None:
        return _recorded(local_path(weights), size, checkpoint_key)  # type: ignore[arg-type]
    config = _config(model)
    network, about = _configured(config)
    told = 'random weights'
    if weights is not None:
        if own_input:
            _take_input(network, weights, checkpoint_key)
        told = load_backbone(network, weights, allow_other_input, checkpoint_key=checkpoint_key)
    dataset = _measured(config)
    if size is None and not dataset.get('pipeline'):
        raise ValueError(
            f'the config names no images that are measured ({", ".join(_LOADERS)}), so nothing '
            'says how an image is prepared; add one of them, or give --size PIXELS (size=PIXELS).'
        )
    transforms = list(dataset['pipeline']) if size is None else _cut(size)
    reading = {name: dataset[name] for name in _READING if dataset.get(name) is not None}
    return Encoder(network, transforms, _text(network, about), told, reading)


def is_weight_file(model: Any) -> bool:
    """Return whether this names a file of weights, not a config."""
    if not isinstance(model, (str, Path)):
        return False
    path = Path(model).expanduser()
    if path.suffix == '.onnx' or path.is_dir():
        raise ValueError(
            f'{model} is {"a folder" if path.is_dir() else "an ONNX file"}, which is meant for '
            'other programs; expected a checkpoint, an export of the kinds backbone, torchvision, '
            'timm or mmdet, or a config.'
        )
    return path.suffix in _WEIGHTS or (path.suffix != '.py' and path.is_file())


def _config(model: ConfigLike) -> Any:
    """Return a whole config with its model, whichever way it is given."""
    if isinstance(model, (str, Path)):
        return load_config(find_config(model) if is_name(model) else model)
    return model


def _configured(config: Any) -> tuple[Any, Any]:
    """Return the network of a config as initialized, and the config of its backbone."""
    settings = config.get('model')
    if not isinstance(settings, Mapping):
        raise ValueError('the config has no model; expected a whole config of this project.')
    settings = dict(settings)
    if config.get('data_preprocessor') is not None:
        settings.setdefault('data_preprocessor', config['data_preprocessor'])
    scope = config.get('default_scope') or SCOPE
    init_default_scope(scope)
    network = build(dict(model=settings, default_scope=scope))
    with quiet():
        network.init_weights()
    if not hasattr(network, 'extract_feat') or not hasattr(network, 'backbone'):
        raise ValueError(
            f'the config builds a {type(network).__name__}, which has no features of images; '
            'expected a config of pre-training or of a benchmark.'
        )
    return network, settings['backbone']


def recorded_config(weights: str | Path, size: int | None = None) -> dict[str, Any]:
    """Return the network that a file records as a whole config, with fresh weights.

    Args:
        weights: A checkpoint or an export of this project.
        size: See :func:`get_encoder`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It records no network, or one that it does not hold.
    """
    path = local_path(weights)
    backbone, preprocessor, _ = _parts(path, read_checkpoint(path), None)
    model = dict(type='ImageClassifier', backbone=backbone, data_preprocessor=preprocessor)
    pipeline = _cut(size or _usual_size(backbone))
    dataset = dict(pipeline=pipeline, **_reading(backbone))
    return dict(model=model, query_dataloader=dict(dataset=dataset))


def _recorded(path: Path, size: int | None, checkpoint_key: str | None) -> Encoder:
    """Return the network that a file records, with its weights."""
    content = read_checkpoint(path)
    backbone, preprocessor, architecture = _parts(path, content, checkpoint_key)
    network = ImageClassifier(backbone, data_preprocessor=preprocessor)
    told = load_backbone(network, path, content=content, checkpoint_key=checkpoint_key)
    transforms = _cut(size or _usual_size(backbone))
    reading = _reading(backbone)
    return Encoder(network, transforms, _text(network, architecture), told, reading)


def _parts(
    path: Path, content: Mapping[str, Any], checkpoint_key: str | None
) -> tuple[nn.Module, nn.Module, Any]:
    """Return the backbone that a file records, what normalizes its images, and its settings."""
    record = record_of(content, path)
    if record is None or not record['backbone']:
        raise ValueError(
            f'{path} does not record what its weights are (meta.{KEY}.backbone); expected a '
            'checkpoint or an export of this project, or a config beside it that says which '
            'network it is.'
        )
    architecture = checked_backbone(record['backbone'], str(path))
    tensors = weights_of(content, path, checkpoint_key).tensors
    held = sum(tensor.numel() for tensor in tensors.values())
    outline_recorded(architecture, held, str(path))  # it may ask for more memory than there is
    backbone = build_recorded(architecture, str(path))
    return backbone, _preprocessor(record, path), architecture


def _preprocessor(record: Mapping[str, Any], path: str | Path) -> nn.Module:
    """Return what normalizes images as a record says."""
    mean, std, order = record['mean'], record['std'], record['channel_order']
    if order is not None and not _ORDER.fullmatch(order):
        raise ValueError(
            f'the weights in {path} were trained on images in the order {order!r}; expected rgb, '
            'lab or ycbcr, which are what is read here.'
        )
    channels = len(mean or std or (0, 0, 0))
    mean, std = mean or [0.0] * channels, std or [1.0] * channels  # None: not normalized
    if order in ('lab', 'ycbcr'):
        return ColorSpaceDataPreprocessor(order, mean, std)
    return ViewDataPreprocessor(mean, std)


def _take_input(network: Any, weights: str | Path, key: str | None) -> None:
    """Make a network normalize as weights were trained, as far as that is known."""
    wanted = [name.removeprefix('timm.') for name in network.backbone.state_dict()]
    found = read_source(weights, wanted, key).input
    if found.mean is None and found.std is None:
        return
    record = dict(mean=found.mean, std=found.std, channel_order=found.channel_order)
    network.data_preprocessor = _preprocessor(record, weights)


def _usual_size(backbone: nn.Module) -> int:
    made_for: tuple[int, int] | None = getattr(backbone, 'image_size', None)
    if made_for is not None:
        return made_for[0]
    return 32 if getattr(backbone, 'stem', None) == 'small' else 224


def _reading(backbone: nn.Module) -> dict[str, Any]:
    """Return how files are read for a recorded network: photographs, or channels as they are."""
    channels = getattr(backbone, 'in_channels', 3)
    return {} if channels == 3 else dict(channels=channels)


def _cut(size: int) -> list[dict[str, Any]]:
    """Return the transforms that make images of one size."""
    short = size if size <= _WHOLE else round(size * 8 / 7)
    return [
        dict(type='Resize', size=short),
        dict(type='CenterCrop', size=size),
        dict(type='PackInputs'),
    ]


def _measured(config: Any) -> Mapping[str, Any]:
    """Return the data set with a pipeline that a config measures on; empty where it has none."""
    for name in _LOADERS:
        dataset = (config.get(name) or {}).get('dataset')
        while isinstance(dataset, Mapping):
            if dataset.get('pipeline'):
                return dataset
            parts = dataset.get('datasets') or [None]
            dataset = dataset.get('dataset') or parts[0]
    return {}


def _text(network: Any, backbone: Any) -> str:
    """Return text that differs where a network computes other features from the same weights."""
    record = describe_weights(network, dict(model=dict(backbone=backbone)))
    kept = {name: record[name] for name in ('backbone', 'mean', 'std', 'channel_order')}
    if isinstance(kept['backbone'], dict):
        without = {k: v for k, v in kept['backbone'].items() if k not in ('init_cfg', 'type')}
        kind = str(kept['backbone'].get('type')).removeprefix(f'{SCOPE}.')
        kept['backbone'] = dict(type=kind, **without)
    return json.dumps(kept, sort_keys=True)
