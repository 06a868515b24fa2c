"""Parts that mmdet needs to start from our weights: ops without a compiler, loader, protocols.

A detection config imports this package by ``custom_imports`` and names its components with the
prefix ``mochi_mm.``; nothing else imports it. It is the only package that knows mmcv and mmdet.
"""

from mochi_mm.transfer.require import require_mmdet

require_mmdet()

from mochi_mm.transfer.ops.finder import supply_missing_ops  # noqa: E402

supply_missing_ops()

# Components register when imported; mmdet's own modules need the ops from here on.
from mochi_mm.transfer.c4_shared_head import C4SharedHead  # noqa: E402
from mochi_mm.transfer.class_check_hook import ClassCheckHook  # noqa: E402
from mochi_mm.transfer.coco_detection import CocoDetection  # noqa: E402
from mochi_mm.transfer.coco_detection_metric import CocoDetectionMetric  # noqa: E402
from mochi_mm.transfer.detector_pretrained_hook import DetectorPretrainedHook  # noqa: E402
from mochi_mm.transfer.precise_bn_hook import PreciseBNHook  # noqa: E402
from mochi_mm.transfer.revert_sync_bn_hook import RevertSyncBNHook  # noqa: E402
from mochi_mm.transfer.voc_detection import VOCDetection  # noqa: E402
from mochi_mm.transfer.voc_detection_metric import VOCDetectionMetric  # noqa: E402

__all__ = [
    'C4SharedHead',
    'ClassCheckHook',
    'CocoDetection',
    'CocoDetectionMetric',
    'DetectorPretrainedHook',
    'PreciseBNHook',
    'RevertSyncBNHook',
    'VOCDetection',
    'VOCDetectionMetric',
    'require_mmdet',
    'supply_missing_ops',
]
