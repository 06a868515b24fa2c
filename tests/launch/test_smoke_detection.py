"""--smoke trains a detection config on scenes that it writes itself."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.launch.config import load_config
from mochi_mm.launch.smoke import to_smoke
from mochi_mm.launch.smoke_detection import shrink_detection

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = (
    'configs/transfer/shapes/faster-rcnn_r10w025-c4_800_shapes.py',  # VOC layout
    'configs/transfer/shapes/mask-rcnn_r10w025-fpn_800_shapes.py',  # COCO layout
)
EVERY = [p for p in sorted((ROOT / 'configs/transfer').glob('*/*.py')) if p.parent.name != '_base_']


@pytest.fixture(autouse=True)
def files_go_with_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a smoke run writes, half a gigabyte for the large networks."""
    here = SimpleNamespace(mkdtemp=partial(tempfile.mkdtemp, dir=tmp_path))
    monkeypatch.setattr('mochi_mm.launch.smoke.tempfile', here)
    monkeypatch.setattr('mochi_mm.launch.smoke_detection.tempfile', here)


@pytest.mark.parametrize('path', CONFIGS)
def test_two_steps(path: str) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    config = to_smoke(load_config(ROOT / path))
    config.experiment_name = f'smoke_{Path(path).stem}'
    runner = Runner.from_cfg(config)
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 2 and all(0 < loss < 100 for loss in losses)
    saved = read_checkpoint(Path(config.work_dir) / 'iter_2.pth')
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, saved['state_dict'][name]), name
    record = saved['meta']['mochi_mm']
    assert record['channel_order'] == 'rgb'
    assert record['mean'] == pytest.approx(config.model.data_preprocessor.mean)
    assert record['backbone']['depth'] == 10


@pytest.mark.parametrize('path', EVERY, ids=lambda path: path.stem)
def test_every_config_can_be_shrunk(path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    config = to_smoke(load_config(path))
    assert 'data/' not in str({n: v for n, v in config.items() if n.endswith('_dataloader')})
    assert config.train_dataloader.dataset.pipeline == load_pipeline(path)


def load_pipeline(path: Path) -> list:
    """The config's own transforms, but for the sizes."""
    dataset = load_config(path).train_dataloader.dataset
    pipeline = dataset.get('pipeline') or dataset.datasets[0].pipeline
    for transform in pipeline:
        for key, value in (('scales', [(128, 128)]), ('scale', (128, 128))):
            if key in transform:
                transform[key] = value
    return pipeline


def test_other_data_sets_are_refused() -> None:
    loader = dict(dataset=dict(type='CrowdHumanDataset', pipeline=[]))
    with pytest.raises(ValueError, match='this config has CrowdHumanDataset'):
        shrink_detection(Config(dict(train_dataloader=loader)), 2)
