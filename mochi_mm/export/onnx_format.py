"""ONNX: the whole network to pooled features, for any runtime."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.export.read_back import installed
from mochi_mm.export.source import BackboneSource, PooledBackbone
from mochi_mm.export.target import Metadata, Target

OPSET = 17
#: Traced with images of this size, where the backbone takes any.
SIZE = (64, 64)


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    if not installed('onnx'):
        raise ImportError('--to onnx needs onnx: pip install onnx (or mochi_mm[export]).')
    import onnx

    try:
        _trace(source, path)
    except torch.onnx.errors.OnnxExporterError as error:
        raise ValueError(
            f'ONNX has no network like this backbone: {str(error).splitlines()[0]} Export it with '
            '--to backbone, which takes every backbone.'
        ) from error
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _trace(source: BackboneSource, path: Path) -> None:
    """Write what the backbone computes of images of any size, or of the one that it names."""
    size = source.image_size()
    free = {0: 'batch'} if size else {0: 'batch', 2: 'height', 3: 'width'}
    further: dict[str, Any] = dict(opset_version=OPSET)
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        further['dynamo'] = False  # the newer exporter needs a further package
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        warnings.simplefilter('ignore', torch.jit.TracerWarning)  # sizes, which are fixed
        torch.onnx.export(
            PooledBackbone(_of_one_size(source)),
            (torch.zeros(1, source.channels(), *(size or SIZE)),),
            str(path),
            input_names=['images'],
            output_names=['features'],
            dynamic_axes=dict(images=free, features={0: 'batch'}),
            **further,
        )


def _of_one_size(source: BackboneSource) -> nn.Module:
    """Return the backbone; for the size that it names, where it would resize its positions."""
    module: nn.Module = source.module()
    if not getattr(getattr(module, 'timm', None), 'dynamic_img_size', False):
        return module
    # ONNX has no operator that resizes a table as timm does.
    recorded = source.record['backbone']
    fixed = dict(recorded.get('model_kwargs') or {}, dynamic_img_size=False)
    fixed.pop('dynamic_img_pad', None)
    record = dict(source.record, backbone=dict(recorded, model_kwargs=fixed))
    same: nn.Module = replace(source, record=record).module()
    return same


def _features(source: BackboneSource, path: Path, images: Tensor) -> tuple[str, Tensor]:
    if installed('onnxruntime'):
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        (features,) = session.run(['features'], dict(images=images.numpy()))
        return f'onnxruntime {onnxruntime.__version__}', torch.from_numpy(features)
    import onnx
    from onnx.reference import ReferenceEvaluator

    (features,) = ReferenceEvaluator(str(path)).run(['features'], dict(images=images.numpy()))
    how = f"onnx {onnx.__version__}'s reference evaluator; onnxruntime is not installed"
    return how, torch.from_numpy(features)


def _usage(source: BackboneSource, name: str) -> str:
    size = source.image_size()
    channels = source.channels()
    told = '' if size is None else f'  # images of {size[0]} x {size[1]} pixels'
    told += '' if channels == 3 else f'  # images of {channels} channels'
    call = f"onnxruntime.InferenceSession('{name}').run(['features'], dict(images=normalized))"
    return call + told


TARGET = Target('onnx', '.onnx', _write, _features, _usage, orders=None, any_channels=True)
