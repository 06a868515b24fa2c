"""Runs on images of seven channels of 16 bits: resumed to the bit, measured, held, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.launch.smoke import to_smoke
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import moco_config
from tests.toy_runner import runner_config, train

tifffile = pytest.importorskip('tifffile')

VIEW = [
    dict(type='RandomResizedCrop', size=16, scale=(0.5, 1.0)),
    dict(type='ChannelJitter', brightness=0.4, contrast=0.4, prob=0.8),
    dict(type='GaussianBlur', prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]
EVAL = [dict(type='Resize', size=16), dict(type='PackInputs')]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, told apart by four of the channels."""
    root = tmp_path_factory.mktemp('bands')
    for i in range(16):
        path = root / ('train' if i < 8 else 'val') / 'ab'[i % 2] / f'{i}.tif'
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(0, 2**15, (20, 18, 7)).astype(np.uint16)
        pixels[..., 2:6] += 2**15 * (i % 2)
        tifffile.imwrite(path, pixels, photometric='minisblack', planarconfig='contig')
    return root


def model_of(channels: int = 7) -> dict[str, Any]:
    config = moco_config()
    config['backbone'] = dict(config['backbone'], in_channels=channels)
    config['data_preprocessor'] = dict(type='ViewDataPreprocessor', mean=[64.0] * 7, std=[40.0] * 7)
    return config


def config_of(work_dir: Path, folder: Path, kind: str = 'FastMultiView', **changes: Any) -> Any:
    """Two steps an epoch of four images, with a look at kNN."""
    config = runner_config(work_dir, **changes)
    config.model = model_of()
    images = dict(type='ImageFolder', data_root=str(folder), split='train', channels=7, bits=16)
    views = [dict(type=kind, transforms=[VIEW], num_views=[2]), dict(type='PackInputs')]
    held = kind == 'HeldMultiView'
    config.train_dataloader.dataset = (
        dict(type='InMemory', dataset=images, pipeline=views)
        if held
        else dict(images, pipeline=views)
    )
    if held:
        config.custom_hooks = [dict(type='HoldImagesHook')]
    return config


def test_resumes_to_the_bit_and_says_what_it_saw(folder: Path, tmp_path: Path) -> None:
    straight = config_of(tmp_path / 'straight', folder)
    straight.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    loader = dict(straight.train_dataloader, drop_last=False)
    loader['sampler'] = dict(type='KeyedSampler', shuffle=False)
    loader['dataset'] = dict(loader['dataset'], pipeline=EVAL)
    asked = dict(loader, dataset=dict(loader['dataset'], split='val'))
    knn = dict(type='KNNHook', interval=2, bank_dataloader=loader, query_dataloader=asked, k=1)
    straight.custom_hooks = [knn]
    runner = train(straight)
    assert runner.message_hub.get_scalar('knn/top1').current() >= 75
    again = config_of(tmp_path / 'again', folder)
    again.update(load_from=str(tmp_path / 'straight/iter_1.pth'), resume=True)
    again.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    train(again)
    first, second = (
        read_checkpoint(tmp_path / name / 'iter_4.pth') for name in ('straight', 'again')
    )
    assert first['state_dict']['backbone.conv1.weight'].shape[1] == 7
    for name, value in first['state_dict'].items():
        assert torch.equal(value, second['state_dict'][name]), name
    record = first['meta']['mochi_mm']
    assert record['channel_order'] == '7 channels' and record['mean'] == [64.0] * 7


@pytest.mark.parametrize('kind', ['MultiView', 'DeviceMultiView', 'HeldMultiView'])
def test_the_other_recipes_train(kind: str, folder: Path, tmp_path: Path) -> None:
    runner = train(config_of(tmp_path, folder, kind, max_epochs=1))
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert np.isfinite(losses).all()


def test_other_channels_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r'mean and std .* 7 numbers but the backbone .* 4 channels'
    ):
        MODELS.build(model_of(4))
    config = config_of(tmp_path, folder)
    config.train_dataloader.dataset.channels = 4
    with pytest.raises(
        ValueError, match=r'0\.tif.*it has 7 channels; expected 4 channels of 16 bits'
    ):
        train(config)


def test_smoke_takes_scenes_of_as_many(tmp_path: Path) -> None:
    images = dict(type='ImageFolder', data_root='nowhere', channels=7, bits=16)
    for dataset in (images, dict(type='InMemory', dataset=images)):
        config = config_of(tmp_path, tmp_path)
        config.train_dataloader.dataset = dict(dataset, pipeline=EVAL)
        scenes = to_smoke(config, str(tmp_path)).train_dataloader.dataset
        scenes = scenes.get('dataset', scenes)
        assert (scenes.type, scenes.channels, scenes.bits) == ('ChannelShapeScenes', 7, 16)
