"""Heads for another number of classes, and data sets with others, stop before the first step."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mmengine.runner import Runner

from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.transfer.class_check_hook import ClassCheckHook, check_heads, check_same
from tests.transfer.scenes import COCO_CONFIG, VOC_CONFIG, small_config

HEADS = ('bbox_head', 'mask_head')


def check_refused(config: Any, message: str) -> None:
    """Train; expect the error before the first iteration."""
    runner = Runner.from_cfg(config)
    with pytest.raises(ValueError, match=message):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize('head', HEADS)
def test_heads_for_another_number(coco_scenes: Path, tmp_path: Path, head: str) -> None:
    config = small_config(COCO_CONFIG, coco_scenes, tmp_path)
    config.model.roi_head[head].num_classes = 3
    key = rf'model\.roi_head\.{head}\.num_classes'
    check_refused(
        config, rf'{key} is 3 but the data have 10 classes .*disc, square.*; set {key}=10'
    )


@pytest.mark.parametrize('loader', ['val_dataloader', 'test_dataloader'])
def test_another_order_where_it_is_measured(voc_scenes: Path, tmp_path: Path, loader: str) -> None:
    config = small_config(VOC_CONFIG, voc_scenes, tmp_path)
    config[loader].dataset.metainfo = dict(classes=KINDS[::-1])
    check_refused(config, f"classes of {loader} .* differ at label 0, 'arrow' and 'disc'")


def test_another_order_in_one_of_two_data_sets(voc_scenes: Path, tmp_path: Path) -> None:
    config = small_config(VOC_CONFIG, voc_scenes, tmp_path)
    one = config.train_dataloader.dataset.to_dict()
    two = one | dict(metainfo=dict(classes=KINDS[::-1]))
    config.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[one, two])
    check_refused(config, 'the data sets of train_dataloader have different classes')


def test_masks_that_are_measured_but_not_there(coco_scenes: Path, tmp_path: Path) -> None:
    """Known before the first iteration, not at the first validation."""
    data = Path(shutil.copytree(coco_scenes, tmp_path / 'coco'))
    path = data / 'annotations/instances_val.json'
    content = json.loads(path.read_text())
    del content['annotations'][0]['segmentation']
    path.write_text(json.dumps(content))
    config = small_config(COCO_CONFIG, data, tmp_path / 'run')
    match = r'instances_val\.json: annotations\[0\] \(id 1\) has no segmentation .* val_evaluator'
    check_refused(config, match)
    both = [config.val_dataloader.dataset.to_dict()] * 2
    config.val_dataloader.dataset = dict(type='ConcatDataset', datasets=both)
    config.experiment_name += '_both'
    check_refused(config, match)


def test_a_test_is_checked_too(voc_scenes: Path, tmp_path: Path) -> None:
    config = small_config(VOC_CONFIG, voc_scenes, tmp_path)
    config.model.roi_head.bbox_head.num_classes = 20
    with pytest.raises(ValueError, match=re.escape('set model.roi_head.bbox_head.num_classes=10')):
        Runner.from_cfg(config).test()


def detector(**numbers: int) -> nn.Module:
    model = nn.Module()
    for name, number in numbers.items():
        part = nn.Module()
        part.num_classes = number
        model.add_module(name, part)
    return model


def test_parts_that_count_something_else() -> None:
    check_heads(detector(backbone=1000, rpn_head=1, semantic_head=183, bbox_head=2), ('a', 'b'))
    with pytest.raises(ValueError, match=r'model\.bbox_head\.num_classes is 3'):
        check_heads(detector(rpn_head=1, bbox_head=3), ('a', 'b'))


def test_the_same_and_others() -> None:
    check_same(('a', 'b'), ('a', 'b'), 'val')
    with pytest.raises(ValueError, match='val_dataloader and train_dataloader are 1 and 2'):
        check_same(('a', 'b'), ('a',), 'val')


def test_training_without_validation() -> None:
    dataset = SimpleNamespace(metainfo=dict(classes=['a', 'b']))
    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=dataset),
        model=detector(bbox_head=2),
        val_loop=None,
        cfg={},
    )
    ClassCheckHook().before_train(runner)
    runner.model = detector(bbox_head=3)
    with pytest.raises(ValueError, match=r'model\.bbox_head\.num_classes is 3'):
        ClassCheckHook().before_train(runner)
