"""Labels are compared only where they mean the same: the names of the classes decide."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mochi_mm.datasets import ImageFolder
from mochi_mm.evaluation.knn_evaluate import check_knn_data
from mochi_mm.files.checkpoint import load_for_test
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import DATASETS
from mochi_mm.utils.class_names import check_same_classes, check_same_names, class_names
from tests.datasets.test_image_folder import fill
from tests.engine.hooks.test_pretrained_hook import probe_config
from tests.evaluation.toy import ToyImages, loader_config, toy_loader
from tests.toy_runner import NoiseImages, runner_config, train


def test_an_error_names_the_classes() -> None:
    same = ('a', 'b', 'c')
    check_same_names(same, list(same), 'bank', 'query')
    for pair in ((same, ()), ((), same), ((), ())):
        check_same_names(*pair, 'bank', 'query')
    for second, message in [
        ('bc', "3 classes, the query data set 2, and they differ: only the bank data set has 'a'."),
        ('abcdefghij', "only the query data set has 'd', 'e', 'f', 'g', 'h' and 2 more"),
        ('acb', "label 1 is 'b' and 'c'"),
        ('abca', 'one lists a class twice'),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            check_same_names(same, tuple(second), 'bank', 'query')


@pytest.mark.parametrize(
    'metainfo', [None, {}, dict(classes=None), dict(classes='abc'), [dict(classes=['a'])]]
)
def test_data_without_names_pass(metainfo: Any) -> None:
    assert class_names(object()) == () == class_names(SimpleNamespace(metainfo=metainfo))
    check_same_classes(SimpleNamespace(metainfo=metainfo), ToyImages(), 'a', 'b')


def test_a_class_folder_that_is_moved_away(tmp_path: Path) -> None:
    root = fill(
        tmp_path, *(f'{s}/{c}/{i}.png' for s in ('train', 'val') for c in 'abc' for i in '12')
    )

    def loaders() -> list[Any]:
        return [toy_loader(ImageFolder(root, split)) for split in ('train', 'val')]

    check_knn_data(*loaders(), 1)
    (root / 'val/a').rename(root / 'a')
    with pytest.raises(ValueError, match="only the bank data set has 'a'"):
        check_knn_data(*loaders(), 1)
    (root / 'a').rename(root / 'val/a')
    fill(root, 'val/0/1.png')
    with pytest.raises(ValueError, match="only the query data set has '0'"):
        check_knn_data(*loaders(), 1)


def test_the_online_probe(tmp_path: Path) -> None:
    query = loader_config(size=6)
    hook = dict(type='OnlineProbeHook', num_classes=3, query_dataloader=query)
    with pytest.raises(ValueError, match="only the training data set has 'a', 'b', 'c'"):
        train(runner_config(tmp_path, custom_hooks=[hook]))


@DATASETS.register_module(force=True)
class OtherNoise(NoiseImages):
    """The same images under other names."""

    classes = ('a', 'b', 'd')


def _with_validation(folder: Path, **changes: Any) -> Any:
    config = probe_config(folder, 'none', **changes)
    pipeline = config.train_dataloader.dataset.pipeline
    config.val_dataloader = dict(config.train_dataloader, drop_last=False)
    config.val_dataloader['dataset'] = dict(type='OtherNoise', size=6, pipeline=pipeline)
    config.val_cfg, config.val_evaluator = (
        dict(type='ValLoop'),
        dict(type='TopKAccuracy', topk=(1,)),
    )
    return config


@pytest.mark.parametrize('freeze', [True, False])
def test_probe_and_fine_tuning(tmp_path: Path, freeze: bool) -> None:
    runner = build_runner(_with_validation(tmp_path, freeze=freeze))
    with pytest.raises(ValueError, match="only the validation data set has 'd'"):
        runner.train()
    assert runner.iter == 0


def test_a_trained_head_and_the_test_images(tmp_path: Path) -> None:
    runner = train(probe_config(tmp_path, 'none'))
    path = tmp_path / 'epoch_1.pth'
    for classes in ((), ('a', 'b', 'c')):
        assert 'weights loaded' in load_for_test(runner.model, path, classes)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    with torch.no_grad():
        runner.model.head.fc.weight.add_(1)
    with pytest.raises(ValueError, match="only the test data set has 'd'"):
        load_for_test(runner.model, path, ('a', 'b', 'd'))
    assert not torch.equal(runner.model.head.fc.weight, before['head.fc.weight'])  # not loaded
