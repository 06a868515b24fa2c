"""ONNX: the whole network to pooled features, for any runtime."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.export.read_back import installed
from mochi_mm.export.source import BackboneSource, PooledBackbone
from mochi_mm.export.target import Metadata, Target

OPSET = 17


def _write(source: BackboneSource, path: Path, metadata: Metadata) -> None:
    if not installed('onnx'):
        raise ImportError('--to onnx needs onnx: pip install onnx (or mochi_mm[export]).')
    import onnx

    further: dict[str, Any] = dict(opset_version=OPSET)
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        further['dynamo'] = False  # the newer exporter needs a further package
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        torch.onnx.export(
            PooledBackbone(source.module()),
            (torch.zeros(1, 3, 64, 64),),
            str(path),
            input_names=['images'],
            output_names=['features'],
            dynamic_axes=dict(images={0: 'batch', 2: 'height', 3: 'width'}, features={0: 'batch'}),
            **further,
        )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


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
    return f"onnxruntime.InferenceSession('{name}').run(['features'], dict(images=normalised))"


TARGET = Target('onnx', '.onnx', _write, _features, _usage)
