"""The formats by name."""

from __future__ import annotations

from mochi_mm.export import (
    backbone_format,
    detectron2_format,
    huggingface_format,
    mmdet_format,
    onnx_format,
    timm_format,
    torchvision_format,
)

TARGETS = {
    module.TARGET.name: module.TARGET
    for module in (
        torchvision_format,
        timm_format,
        detectron2_format,
        mmdet_format,
        huggingface_format,
        onnx_format,
        backbone_format,
    )
}
