"""No tool, no detector and no cache runs what a file holds; every refusal names the file.

python -m pytest tests/faults/test_untrusted_tools.py

The payloads are harmless: read as code they would make an empty file, and none of them does.
"""

from __future__ import annotations

import logging
import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mochi_mm.datasets.class_list import read_class_list
from mochi_mm.datasets.index_cache import load_index
from mochi_mm.datasets.path_list import read_paths
from mochi_mm.datasets.shapes.image_cache import fingerprint, rendered
from mochi_mm.datasets.torchvision_dataset import TorchVisionDataset
from mochi_mm.datasets.voc_classification import VOCClassification
from mochi_mm.evaluation.analysis.records import read_analysis
from mochi_mm.experiments.results_page import read_records
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suites import read_suite
from mochi_mm.experiments.sweep import Run, Sweep
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.files.origin import ORIGINS
from mochi_mm.files.weights_source import read_source
from mochi_mm.runs.run_log import read_log
from mochi_mm.runs.start_record import FILE, written_since
from tests.faults.payload import Marker
from tests.tools.analysis.test_knn_tool import LOOP
from tests.toy_runner import REPOSITORY

TRAINING = LOOP + 'train_dataloader, query_dataloader = queries, queries\ntrain_cfg = dict()\n'


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / 'executed'


@pytest.fixture
def file(tmp_path: Path, marker: Path) -> str:
    path = tmp_path / 'untrusted.pth'
    torch.save(dict(state_dict={'backbone.w': torch.ones(2)}, extra=Marker(marker)), path)
    return str(path)


def main(tool: str) -> Callable[[list[str]], Any]:
    """Return the main function of a program under tools/."""
    return runpy.run_path(str(REPOSITORY / 'tools' / tool))['main']


DETECTOR = str(REPOSITORY / 'configs/transfer/shapes/faster-rcnn_r10w025-c4_800_shapes.py')
TOOLS: dict[str, list[str]] = {
    'train.py': ['training.py', '--cfg-options', 'load_from=FILE'],
    'test.py': ['loop.py', 'FILE', '--work-dir', 'work'],
    'analysis/knn.py': ['loop.py', 'FILE', '--device', 'cpu'],
    'analysis/linear_probe.py': ['loop.py', 'FILE', '--device', 'cpu'],
    'analysis/retrieval.py': ['loop.py', 'FILE', '--device', 'cpu'],
    'analysis/analyze.py': ['training.py', 'FILE', '--device', 'cpu'],
    'analysis/show_detections.py': [DETECTOR, 'FILE'],
    'converters/export.py': ['FILE', '--to', 'backbone'],
}


@pytest.mark.parametrize('tool', TOOLS)
def test_tools(tool: str, file: str, marker: Path, tmp_path: Path, monkeypatch: Any) -> None:
    if 'detections' in tool:
        pytest.importorskip('mmdet', reason='mmdet is not installed')
    monkeypatch.chdir(tmp_path)
    Path('loop.py').write_text(LOOP)
    Path('training.py').write_text(TRAINING)
    with pytest.raises(ValueError, match=r'(?s)untrusted\.pth.*tools/converters/trust\.py'):
        main(tool)([word.replace('FILE', file) for word in TOOLS[tool]])
    assert not marker.exists()


def layouts(weights: dict[str, Any], payload: Marker) -> dict[str, Any]:
    """The places where a file of weights can hold its tensors, each with an object beside them."""
    return {
        'bare': dict(weights, extra=payload),
        'state_dict': dict(state_dict=weights, optimizer=payload),
        'state_dict of objects': dict(state_dict=dict(weights, extra=payload)),
        'model': dict(model=weights, args=payload),
        'model_state_dict': dict(model_state_dict=weights, hyper_parameters=payload),
        'classy': dict(
            classy_state_dict=dict(base_model=dict(model=dict(trunk=weights))), x=payload
        ),
        'record': dict(state_dict=weights, meta=dict(mochi_mm=payload)),
        'config': dict(state_dict=weights, meta=dict(cfg=payload)),
    }


@pytest.mark.parametrize('origin', ORIGINS, ids=lambda origin: origin.name)
def test_weights_of_every_origin(origin: Any, marker: Path, tmp_path: Path) -> None:
    """With and without the object: recognized, refused."""
    tensor = torch.ones(2)
    weights = {f'{origin.prefix}conv1.weight': tensor}
    weights |= {f'{name}x': tensor for name in origin.markers if name not in weights}
    torch.save(weights, tmp_path / 'plain.pth')
    assert read_source(tmp_path / 'plain.pth', ['conv1.weight']).origin == origin
    for number, content in enumerate(layouts(weights, Marker(marker)).values()):
        for old in (False, True):
            path = tmp_path / f'{number}_{old}.pth'
            torch.save(content, path, _use_new_zipfile_serialization=not old)
            with pytest.raises(ValueError, match=rf'{path.name}.*tools/converters/trust\.py'):
                read_source(path, ['conv1.weight'])
    assert not marker.exists()


def test_detectors(file: str, marker: Path, tmp_path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    from mochi_mm.transfer.detector_pretrained_hook import DetectorPretrainedHook
    from tests.transfer.weights.toy import Detector

    pickled = tmp_path / 'pickled.safetensors'
    pickled.write_bytes(Path(file).read_bytes())
    for path, words in (
        (file, r'untrusted\.pth.*trust\.py'),
        (pickled, r'pickled\.safetens.*\.pth'),
    ):
        run = SimpleNamespace(
            cfg=Config(dict(pretrained=str(path))),
            iter=0,
            logger=logging.getLogger('untrusted'),
            model=Detector(),
        )
        with pytest.raises(ValueError, match=words):
            DetectorPretrainedHook().before_train(run)
    assert not marker.exists()


@pytest.mark.parametrize(
    'where',
    [
        lambda path: dict(checkpoint_path=path),
        lambda path: dict(pretrained=True, pretrained_cfg_overlay=dict(file=path)),
        lambda path: dict(pretrained=True, pretrained_cfg=dict(file=path)),
    ],
    ids=['checkpoint_path', 'overlay', 'pretrained_cfg'],
)
def test_timm(where: Any, file: str, marker: Path, tmp_path: Path) -> None:
    pytest.importorskip('timm', reason='timm is not installed')
    from mochi_mm.models.backbones import TimmBackbone

    with pytest.raises(ValueError, match=r'untrusted\.pth.*tools/converters/trust\.py'):
        TimmBackbone('resnet10t', where(file))
    arrays = tmp_path / 'weights.npz'
    np.savez(arrays, x=np.array([Marker(marker)]))
    with pytest.raises(ValueError, match=r'weights\.npz cannot be read as arrays'):
        TimmBackbone('resnet10t', where(str(arrays)))
    assert not marker.exists()


def of_features(path: Path) -> None:
    from mochi_mm.evaluation.feature_file import cached_features
    from tests.evaluation.toy import ToyImages, toy_loader, toy_model

    cached_features(path, toy_model(), toy_loader(ToyImages(6)))


def of_analysis(path: Path) -> None:
    path.with_suffix('.json').write_text('{}')
    read_analysis(path.with_suffix('.json'))


def of_scenes(path: Path) -> None:
    rendered(path.parent, 'settings', 2, 8, render=lambda index: np.zeros((8, 8, 3), np.uint8))


def of_plan(path: Path) -> None:
    Sweep('family_coloured', read_suite('family_coloured'), REPOSITORY, path.parent, path).prepare()


def of_result(path: Path) -> None:
    sweep = Sweep('suite', read_suite('evidence_cpu'), REPOSITORY, path.parents[3], path)
    Run(sweep, Setting('setting', '', '', 'data'), 0).result()


def of_voc_list(path: Path) -> None:
    VOCClassification(path.parents[2])


def of_voc(path: Path) -> None:
    listed = path.parents[1] / 'ImageSets/Main/trainval.txt'
    listed.parent.mkdir(parents=True)
    listed.write_text('a\n')
    VOCClassification(path.parents[1])


def of_coco(path: Path) -> None:
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    from mochi_mm.transfer.coco_detection import CocoDetection

    CocoDetection(ann_file=str(path), metainfo=dict(classes=('a',)))


def of_report(path: Path) -> None:
    read_log(path.parents[2])


SCENES = f'shapes_{fingerprint("settings")}.npy'
DATA: dict[str, tuple[str, Callable[[Path], Any]]] = {
    'features': ('train.safetensors', of_features),
    'analysis': ('epoch_1.npz', of_analysis),
    'analysis record': ('epoch_1.json', read_analysis),
    'drawn scenes': (SCENES, of_scenes),
    'plan of a sweep': ('plan.json', of_plan),
    'result of a run': ('data/setting/seed_0/result.json', of_result),
    'measured records': ('record.json', lambda path: read_records(path.parent)),
    'list of paths': ('exclude.txt', read_paths),
    'list of classes': ('classes.txt', read_class_list),
    'list of VOC': ('ImageSets/Main/trainval.txt', of_voc_list),
    'annotation of VOC': ('Annotations/a.xml', of_voc),
    'annotations of COCO': ('train.json', of_coco),
    'scalars': ('run/start/vis_data/scalars.json', of_report),
}


@pytest.mark.parametrize('name', DATA)
def test_data(name: str, marker: Path, tmp_path: Path) -> None:
    """A pickle under the name of a file of data is refused, and the file named."""
    (relative, read) = DATA[name]
    path = tmp_path / 'folder' / relative
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(Marker(marker)))
    (path.parent / 'epoch_1.npz').touch()
    with pytest.raises(ValueError, match=path.name):
        read(path)
    assert not marker.exists()


@pytest.mark.parametrize('name', ['analysis', 'drawn scenes'])
def test_arrays_of_objects(name: str, marker: Path, tmp_path: Path) -> None:
    """NumPy's own formats can hold pickles."""
    relative, read = DATA[name]
    path = tmp_path / relative
    objects = np.array([Marker(marker)])
    if path.suffix == '.npz':
        np.savez(path, x=objects)
    else:
        np.save(path, objects)
    with pytest.raises(ValueError, match=rf'{path.name} cannot be read as arrays: .*[Oo]bject'):
        read(path)
    assert not marker.exists()


def test_caches_and_notes_are_passed_over(marker: Path, tmp_path: Path) -> None:
    """What can be made anew, or says only what was there, is no reason to stop."""
    payload = pickle.dumps(Marker(marker))
    images = tmp_path / 'images'
    images.mkdir()
    (images / 'a.jpg').touch()
    cache = tmp_path / 'index.json'
    cache.write_bytes(payload)
    assert list(load_index(images, ('.jpg',), cache=cache).paths()) == ['a.jpg']
    torch.save(dict(meta=dict(epoch=1, iter=4)), tmp_path / 'epoch_1.pth')
    (tmp_path / 'epoch_1.pth.json').write_bytes(payload)
    assert newest_valid(tmp_path) == (tmp_path / 'epoch_1.pth', [])
    (tmp_path / FILE).write_bytes(payload)
    assert written_since(tmp_path) == set()
    assert not marker.exists()


def test_archives_of_pickles_are_known_by_their_checksum(marker: Path, tmp_path: Path) -> None:
    """CIFAR's authors chose pickles: torchvision opens none that is not theirs, bit by bit."""
    folder = tmp_path / 'cifar-10-batches-py'
    folder.mkdir()
    names = ['batches.meta', 'test_batch', *(f'data_batch_{n}' for n in range(1, 6))]
    for name in names:
        (folder / name).write_bytes(pickle.dumps(Marker(marker)))
    for split in ('train', 'test'):
        with pytest.raises(FileNotFoundError, match=rf'CIFAR10.*{tmp_path.name}.*damaged'):
            TorchVisionDataset('CIFAR10', tmp_path, split)
    assert not marker.exists()
