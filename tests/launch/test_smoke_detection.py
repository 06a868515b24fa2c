"""--smoke trains a detection config on scenes that it writes itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
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
def own_scope_afterwards() -> Iterator[None]:
    """Detection works in mmdet's scope; other tests expect ours."""
    yield
    init_default_scope('mochi_mm')


@pytest.fixture(autouse=True)
def files_go_with_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a smoke run writes, half a gigabyte for the large networks."""
    here = SimpleNamespace(mkdtemp=partial(tempfile.mkdtemp, dir=tmp_path))
    monkeypatch.setattr('mochi_mm.launch.smoke.tempfile', here)


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


def test_other_data_sets_are_refused(tmp_path: Path) -> None:
    loader = dict(dataset=dict(type='CrowdHumanDataset', pipeline=[]))
    with pytest.raises(ValueError, match='this config has CrowdHumanDataset'):
        shrink_detection(Config(dict(train_dataloader=loader)), 2, tmp_path)


def classes_of(config: Config) -> tuple[list[str], set[int]]:
    """The classes of the data that a smoke config trains on, and the labels that occur."""
    init_default_scope('mmdet')
    data = DATASETS.build(config.train_dataloader.dataset)
    objects = [o for i in range(len(data)) for o in data.get_data_info(i)['instances']]
    return list(data.metainfo['classes']), {o['bbox_label'] for o in objects}


@pytest.mark.parametrize(
    'names', [['one'], ['RBC', 'WBC', 'Platelets'], [f'c{i}' for i in range(30)]]
)
@pytest.mark.parametrize('path', CONFIGS)
def test_scenes_take_the_classes_of_the_config(path: str, names: list[str]) -> None:
    """With fewer classes than kinds of shapes, labels were beyond the head."""
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    config = load_config(ROOT / path)
    config.train_dataloader.dataset.metainfo = dict(classes=names)
    found, labels = classes_of(to_smoke(config))
    assert found == names
    assert labels and max(labels) < len(names)


@pytest.mark.parametrize(
    'kind', ['voc0712/faster-rcnn_r50-c4_ms-24k_voc0712', 'coco/mask-rcnn_r50-fpn_ms-1x_coco']
)
def test_classes_that_no_config_states_are_those_of_the_data_set(kind: str) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    found, _ = classes_of(to_smoke(load_config(ROOT / f'configs/transfer/{kind}.py')))
    assert len(found) == (20 if 'voc' in kind else 80)


def test_classes_in_a_file(tmp_path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    (tmp_path / 'names.txt').write_text('cat\ndog\n')
    config = load_config(ROOT / CONFIGS[0])
    config.train_dataloader.dataset.metainfo = dict(classes=str(tmp_path / 'names.txt'))
    assert classes_of(to_smoke(config))[0] == ['cat', 'dog']


def test_bccd_passes_and_a_wrong_head_is_named() -> None:
    """Three classes; a head for another number is what --smoke is there to find."""
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    path = ROOT / 'configs/transfer/bccd/faster-rcnn_r10w025-c4_600_bccd.py'
    config = to_smoke(load_config(path))
    config.experiment_name = 'smoke_bccd'
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    config = to_smoke(load_config(path, {'model.roi_head.bbox_head.num_classes': 4}))
    config.experiment_name = 'smoke_bccd_4'
    with pytest.raises(
        ValueError, match=r'bbox_head\.num_classes is 4 but the data have 3 classes'
    ):
        Runner.from_cfg(config).train()


def test_everything_lies_in_one_folder(tmp_path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    config = to_smoke(load_config(ROOT / CONFIGS[0]))
    (folder,) = tmp_path.iterdir()
    assert Path(config.work_dir) == folder
    assert folder in Path(config.train_dataloader.dataset.data_root).parents
