"""Every config: loads, names components that exist, and runs two steps on the CPU."""

from __future__ import annotations

import copy
import math
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

from mochi_mm.datasets.voc_classification import VOC_CLASSES
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_for_test
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.launch.runner import build_runner
from mochi_mm.launch.smoke import to_smoke
from mochi_mm.registry import MODELS, PARAM_SCHEDULERS
from mochi_mm.utils.shared_names import referred

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(
    str(p.relative_to(ROOT))
    for p in (ROOT / 'configs').rglob('*.py')
    if not {'_base_', 'transfer'} & set(p.parts)  # detection: tests/transfer and tests/utils
)
TRAINED = [c for c in CONFIGS if Config.fromfile(str(ROOT / c)).get('train_cfg')]
TESTED = [c for c in CONFIGS if c not in TRAINED and '/svm/' not in c]
SVMS = [c for c in CONFIGS if '/svm/' in c]


def test_there_are_configs() -> None:
    assert len(TRAINED) > 15 and len(TESTED) >= 4


@pytest.fixture(autouse=True)
def files_go_with_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a smoke run writes, half a gigabyte for the large networks."""
    here = SimpleNamespace(mkdtemp=partial(tempfile.mkdtemp, dir=tmp_path))
    monkeypatch.setattr('mochi_mm.launch.smoke.tempfile', here)


@pytest.mark.parametrize('path', CONFIGS)
def test_loads_and_names_what_exists(path: str) -> None:
    config = load_config(ROOT / path)
    assert not list(referred(config._cfg_dict))  # each shared name was looked up
    check_config(config)
    assert config.default_scope == 'mochi_mm'
    again = Config.fromstring(config.pretty_text, '.py')
    assert again.model == config.model


@pytest.mark.parametrize('path', TRAINED)
def test_two_steps_save_load_resume_print(path: str) -> None:
    """What --smoke does, then the checkpoint into a new model, then one more epoch from it."""
    torch.set_num_threads(2)
    config = to_smoke(load_config(ROOT / path))
    assert 'data/' not in str({n: s for n, s in config.items() if n == 'train_dataloader'})
    config.experiment_name = f'smoke_{Path(path).stem}'
    runner = build_runner(config)
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    # Some may be negative; the second of a probe is large: its rate is meant for trained features.
    assert len(losses) == 2 and abs(losses[0]) < 100 and np.isfinite(losses).all()
    checkpoint = Path(config.work_dir) / 'epoch_1.pth'
    saved = read_checkpoint(checkpoint)['state_dict']
    init_default_scope('mochi_mm')
    model = MODELS.build(copy.deepcopy(config.model))
    load_for_test(model, checkpoint)
    for name, value in model.state_dict().items():
        assert torch.equal(value, saved[name]), name
    assert str(model).startswith(config.model.type)


@pytest.mark.parametrize('path', TESTED)
def test_knn_configs_measure(path: str) -> None:
    config = load_config(ROOT / path)
    scenes = dict(type='ShapeScenes', num_scenes=24)
    for loader in (config.test_dataloader, config.test_cfg.bank_dataloader):
        loader.dataset = dict(scenes, pipeline=loader.dataset.pipeline)
        loader.update(num_workers=0, batch_size=8, pin_memory=False)
        loader.pop('persistent_workers', None)
    config.test_cfg.k = (1, 5)
    config.work_dir = str(Path(to_smoke(Config(dict(default_hooks=dict()))).work_dir))
    config.experiment_name = f'knn_{Path(path).stem}'
    metrics = build_runner(config).test()
    assert metrics['knn/top1_k1'] == 100  # bank and queries are the same scenes here


@pytest.mark.parametrize('path', SVMS)
def test_svm_configs_measure(path: str, tmp_path: Path) -> None:
    config = load_config(ROOT / path)
    classes = config.test_dataloader.dataset.get('classes') or VOC_CLASSES
    for split, loader in (
        ('a', config.test_dataloader),
        ('b', config.test_cfg.train_dataloader),
    ):
        write_voc(tmp_path, split, classes)
        loader.dataset.update(data_root=str(tmp_path), split=split)
        loader.update(num_workers=0, batch_size=8)
    config.model.backbone.width = 0.25
    config.test_cfg.update(costs=(1.0,), shots=(1,) if config.test_cfg.get('shots') else ())
    config.work_dir, config.experiment_name = str(tmp_path / 'run'), f'svm_{Path(path).stem}'
    metrics = build_runner(config).test()
    key = 'svm/mAP_k1' if config.test_cfg.shots else 'svm/mAP'
    # Each class has a color of its own, in training and in testing.
    assert metrics[key] > 90


def write_voc(root: Path, split: str, classes: Any) -> None:
    """A VOC folder of plain images: two of each class, told apart by their color."""
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    names = []
    for number in range(2 * len(classes)):
        kind, name = number % len(classes), f'{split}{number}'
        color = np.random.default_rng(kind).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(color).resize((64, 64)).save(root / f'JPEGImages/{name}.jpg')
        text = f'<annotation><object><name>{classes[kind]}</name></object></annotation>'
        (root / f'Annotations/{name}.xml').write_text(text)
        names.append(name)
    (root / f'ImageSets/Main/{split}.txt').write_text('\n'.join(names))


def test_the_cosine_of_supcon_on_cifar_runs_under_the_warm_up_too() -> None:
    """The authors' rates, which warm up to where the cosine stands after ten epochs."""
    config = load_config(ROOT / 'configs/supcon/supcon_resnet50_4xb256-cosine-1000e_cifar10.py')
    length = 5  # iterations an epoch
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedulers = []
    for item in config.param_scheduler:
        kind = PARAM_SCHEDULERS.get(item.pop('type'))
        iterwise = item.pop('convert_to_iter_based', False)
        build = partial(kind.build_iter_from_epoch, epoch_length=length) if iterwise else kind
        schedulers.append(build(optimizer, **item))

    def cosine(epoch: int) -> float:
        return 5e-4 + (0.5 - 5e-4) * (1 + math.cos(math.pi * epoch / 1000)) / 2

    for epoch in range(1000):
        for step in range(length):
            share = (epoch * length + step) / (10 * length)
            wanted = cosine(epoch) if share >= 1 else 0.01 + share * (cosine(10) - 0.01)
            # The last step of the warm-up of MMEngine has its end, not one step less.
            tolerance = 5e-3 if share >= 1 else 3e-2
            assert optimizer.param_groups[0]['lr'] == pytest.approx(wanted, rel=tolerance)
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()


def test_mochi_replaces_the_head_alone() -> None:
    for path in (c for c in CONFIGS if c.startswith('configs/mochi/')):
        config = Config.fromfile(str(ROOT / path))
        parent = Config.fromfile(str(ROOT / 'configs/mochi' / _base(ROOT / path)))
        ours, theirs = config.to_dict(), parent.to_dict()
        heads = ours['model'].pop('head'), theirs['model'].pop('head')
        assert ours == theirs, path
        mixing = {'type', 'num_hard', 'mixers', 'start_epoch', 'oracle_mix'}
        assert {k: v for k, v in heads[0].items() if k not in mixing} == {
            k: v for k, v in heads[1].items() if k != 'type'
        }


def _base(path: Path) -> str:
    line = next(text for text in path.read_text().splitlines() if text.startswith('_base_'))
    return line.split("'")[1]


@pytest.mark.parametrize(
    'change',
    [
        dict(model=dict(head=dict(num_hard=100000))),
        dict(model=dict(ema_decay=0.001)),
        dict(model=dict(head=dict(memory=dict(dim=64)))),
    ],
)
def test_mistakes_are_found_at_build_time(change: dict[str, Any]) -> None:
    config = load_config(
        ROOT / 'configs/mochi/mochi-256-512-256_resnet50_8xb32-cosine-200e_in1k.py'
    )
    config.merge_from_dict(change)
    init_default_scope('mochi_mm')
    with pytest.raises(ValueError, match='expected|set'):
        MODELS.build(config.model)


def test_unknown_components_and_arguments_are_found_before_building() -> None:
    path = ROOT / 'configs/mochi/mochi-256-512-256_resnet50_8xb32-cosine-200e_in1k.py'
    config = load_config(path, {'model.backbone.type': 'ResNett'})
    with pytest.raises(
        KeyError, match="model.backbone names an unknown component 'ResNett'.*ResNet"
    ):
        check_config(config)
    config = load_config(path, {'model.head.temprature': 0.1})
    with pytest.raises(ValueError, match="model.head: .*'temprature'; did you mean 'temperature'"):
        check_config(config)
    config = load_config(path, {'train_dataloader.dataset.pipeline.1.type': 'PackInput'})
    with pytest.raises(KeyError, match=r'train_dataloader\.dataset\.pipeline\[1\].*PackInputs'):
        check_config(config)


def test_options_are_never_ignored() -> None:
    path = ROOT / 'configs/mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py'
    config = load_config(path, {'data_root': '/elsewhere'})
    for loader in ('train_dataloader', 'bank_dataloader', 'query_dataloader'):
        assert config[loader].dataset.data_root == '/elsewhere'
    with pytest.raises(KeyError, match="no setting 'modle'. Nearest: model"):
        load_config(path, {'modle.head.temperature': 0.1})
    with pytest.raises(FileNotFoundError, match='no config at'):
        load_config(ROOT / 'configs/none.py')
