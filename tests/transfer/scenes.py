"""A few generated scenes on disk, and small detection configs that read them."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.datasets.shapes.export import export_coco, export_voc
from mochi_mm.launch.config import load_config

ROOT = Path(__file__).resolve().parents[2]
SHAPES = ROOT / 'configs/transfer/shapes'
VOC_CONFIG = SHAPES / 'faster-rcnn_r10w025-c4_800_shapes.py'
COCO_CONFIG = SHAPES / 'mask-rcnn_r10w025-fpn_800_shapes.py'


def write_scenes(root: Path, layout: str, train: int = 6, val: int = 3, size: int = 64) -> Path:
    """Write scenes of 64 pixels in a layout; return the folder."""
    export = dict(voc=export_voc, coco=export_coco)[layout]
    for split, number in (('train', train), ('val', val)):
        export(ShapeScenes(number, split, size, mixed=True), root)
    return root


def small_config(path: Path, data: Path, work_dir: Path, **options: object) -> Config:
    """Return a config of the generated scenes that trains 4 iterations of 2 images in place."""
    config = load_config(path, dict(data_root=f'{data}/', pretrained='none', **options))
    config.work_dir = str(work_dir)
    config.experiment_name = f'{path.stem}_{work_dir.name}_{id(config)}'
    config.train_cfg.update(max_iters=4, val_interval=2)
    config.param_scheduler = None
    config.default_hooks.checkpoint.interval = 2
    config.default_hooks.precise_bn.num_iters = 2
    config.default_hooks.logger.interval = 1
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[name].update(num_workers=0, persistent_workers=False, batch_size=2)
    config.model.roi_head.bbox_roi_extractor.roi_layer.output_size = 4
    if 'shared_head' in config.model.roi_head:
        config.model.roi_head.bbox_head.roi_feat_size = 2
    else:
        config.model.roi_head.bbox_head.roi_feat_size = 4
    return config
