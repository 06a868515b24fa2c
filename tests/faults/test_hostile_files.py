"""Pipes, devices, circles of links and odd JSON at every door: named at once, or passed by.

python -m pytest tests/faults/test_hostile_files.py
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.datasets.index_cache import load_index
from mochi_mm.datasets.path_list import read_paths
from mochi_mm.datasets.voc_classification import VOCClassification
from mochi_mm.evaluation.analysis.records import read_analysis, write_analysis
from mochi_mm.files.array_file import map_array, read_arrays
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import (
    epochs_saved,
    manifest_path,
    newest_valid,
    write_checkpoint,
)
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.files.text_file import read_json, read_json_lines, read_text
from mochi_mm.runs.start_record import FILE, note_start, written_since
from mochi_mm.visualization.report import read_run
from tests.faults.limited import within_seconds
from tests.files.test_image_file import NO_FILES
from tests.files.test_json_text import ODD

SECONDS = 20
DOORS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    'checkpoint': ('a.pth', read_checkpoint),
    'backbone': ('a.safetensors', read_checkpoint),
    'features': ('a.safetensors', read_safetensors),
    'arrays': ('a.npz', read_arrays),
    'scenes': ('a.npy', map_array),
    'digest': ('a.pth', sha256_of),
    'text': ('a.txt', read_text),
    'record': ('a.json', read_json),
    'log': ('a.json', read_json_lines),
    'list': ('a.txt', read_paths),
    'analysis': ('a.json', read_analysis),
}


@pytest.mark.parametrize('door', DOORS)
@pytest.mark.parametrize('kind', NO_FILES)
def test_what_is_no_file_is_named_at_once(kind: str, door: str, tmp_path: Path) -> None:
    name, read = DOORS[door]
    NO_FILES[kind](tmp_path / name)
    with within_seconds(SECONDS), pytest.raises((ValueError, FileNotFoundError), match=name):
        read(tmp_path / name)


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    """Two checkpoints with manifests, an analysis and a log."""
    folder = tmp_path / 'run'
    folder.mkdir()
    for epoch in (1, 2):
        content = dict(meta=dict(epoch=epoch, iter=epoch * 4), state_dict={'w': torch.ones(2)})
        write_checkpoint(folder / f'epoch_{epoch}.pth', content)
    start = folder / '20260101_000000/vis_data'
    start.mkdir(parents=True)
    (start / 'scalars.json').write_text('{"loss": 1.0, "iter": 4, "epoch": 1, "step": 4}\n')
    (start / 'config.py').write_text('resume = False\n')
    (start.parent / 'a.log').write_text('text\n')
    write_analysis(folder / 'analysis', 'epoch_1', _record(), dict(probabilities=np.ones(3)))
    return folder


def _record() -> dict[str, Any]:
    return dict(epoch=1, iter=4, settings={}, counts={}, scalars={'rank/backbone': 2.0}, missing={})


@pytest.mark.parametrize('kind', NO_FILES)
@pytest.mark.parametrize('manifest', [True, False])
def test_a_resume_passes_by_what_is_no_file(kind: str, manifest: bool, work_dir: Path) -> None:
    odd = work_dir / 'epoch_9.pth'
    NO_FILES[kind](odd)
    if manifest:
        about = json.loads(manifest_path(work_dir / 'epoch_2.pth').read_text())
        about.update(saved=2 * about['saved'], bytes=os.lstat(odd).st_size)
        if kind != 'a link that leads back to itself':
            about['bytes'] = os.stat(odd).st_size
        manifest_path(odd).write_text(json.dumps(about))
    with within_seconds(SECONDS):
        path, refused = newest_valid(work_dir)
    assert path == work_dir / 'epoch_2.pth' and len(refused) == 1 and str(odd) in refused[0]


@pytest.mark.parametrize('kind', NO_FILES)
def test_manifests_and_notes_that_are_no_files(kind: str, work_dir: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv('MOCHI_MM_JOB', 'a')
    for path in (
        manifest_path(work_dir / 'epoch_2.pth'),
        work_dir / 'last_checkpoint',
        work_dir / FILE,
    ):
        path.unlink(missing_ok=True)
        NO_FILES[kind](path) if kind != 'a link to a pipe' else path.symlink_to(_pipe(path))
    with within_seconds(SECONDS):
        assert newest_valid(work_dir) == (work_dir / 'epoch_2.pth', [])
        assert epochs_saved(work_dir) == 0 and written_since(work_dir) == set()


def _pipe(path: Path) -> Path:
    pipe = path.with_name(f'{path.name}.pipe')
    os.mkfifo(pipe)
    return pipe


REPORTED = {
    'scalars': '20260101_000000/vis_data/scalars.json',
    'config': '20260101_000000/vis_data/config.py',
    'log': '20260101_000000/a.log',
    'analysis': 'analysis/epoch_1.json',
    'arrays': 'analysis/epoch_1.npz',
    'another analysis': 'analysis/epoch_2.json',
    'picture': 'analysis/epoch_1_neighbors.png',
}


@pytest.mark.parametrize('where', REPORTED)
@pytest.mark.parametrize('kind', NO_FILES)
def test_a_report_names_what_is_no_file(kind: str, where: str, work_dir: Path) -> None:
    read_run(work_dir)
    path = work_dir / REPORTED[where]
    path.unlink(missing_ok=True)
    NO_FILES[kind](path)
    try:
        with within_seconds(SECONDS):
            read_run(work_dir)
    except (ValueError, OSError) as error:
        assert path.name in str(error)


@pytest.mark.parametrize('name', ODD)
def test_odd_json_at_every_door(name: str, work_dir: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv('MOCHI_MM_JOB', 'a')
    for path in (manifest_path(work_dir / 'epoch_2.pth'), work_dir / FILE):
        path.write_text(ODD[name])
    assert newest_valid(work_dir) == (work_dir / 'epoch_2.pth', [])
    assert written_since(work_dir) == set()
    images = work_dir / 'images'
    images.mkdir()
    (images / 'a.jpg').touch()
    (work_dir / 'index.json').write_text(ODD[name])
    found = load_index(images, ('.jpg',), cache=work_dir / 'index.json').paths()
    assert found == ['a.jpg']
    path = work_dir / 'analysis/epoch_1.json'
    path.write_text(ODD[name])
    with pytest.raises(ValueError, match=r'epoch_1\.json'):
        read_run(work_dir)
    path = work_dir / 'a.safetensors'
    write_safetensors(path, {'w': torch.ones(1)}, dict(mochi_mm=ODD[name]))
    with pytest.raises(ValueError, match=r'record in .*a\.safetensors is no JSON'):
        read_checkpoint(path)


def test_manifests_of_other_kinds(work_dir: Path) -> None:
    path = manifest_path(work_dir / 'epoch_2.pth')
    about = json.loads(path.read_text())
    for name, value in (('saved', True), ('bytes', 1.5), ('sha256', None), ('saved', '1')):
        path.write_text(json.dumps({**about, name: value}))
        assert newest_valid(work_dir) == (work_dir / 'epoch_2.pth', [])


@pytest.mark.parametrize(
    ('text', 'epochs'),
    [('epoch_7.pth', 7), ('epoch_²⁵.pth', 0), (f'epoch_{"9" * 5000}.pth', 0), ('epoch_7', 0)],
)
def test_the_note_of_the_newest(text: str, epochs: int, work_dir: Path) -> None:
    (work_dir / 'last_checkpoint').write_text(text)
    assert epochs_saved(work_dir) == epochs
    (work_dir / 'last_checkpoint').write_bytes(b'\xff')
    assert epochs_saved(work_dir) == 0


RECORDS: dict[str, dict[str, Any]] = {
    'scalars that are a list': dict(scalars=[1]),
    'scalars that are text': dict(scalars={'rank/backbone': 'x'}),
    'no scalars': dict(scalars=None),
    'an epoch that is text': dict(epoch='1'),
    'an epoch that is a flag': dict(epoch=True),
    'a place that is a list': dict(iter=[4]),
    'settings that are a list': dict(settings=[1]),
    'counts that are text': dict(counts='x'),
}


@pytest.mark.parametrize('name', RECORDS)
def test_analyses_of_other_kinds(name: str, work_dir: Path) -> None:
    path = work_dir / 'analysis/epoch_1.json'
    path.write_text(json.dumps({'format': 1, **_record(), **RECORDS[name]}))
    with pytest.raises(ValueError, match=r'epoch_1\.json'):
        read_run(work_dir)


@pytest.mark.parametrize('array', [np.ones((2, 2)), np.array(['a']), np.ones(0), np.float32(1)])
def test_arrays_of_other_kinds(array: Any, work_dir: Path) -> None:
    np.savez(work_dir / 'analysis/epoch_1.npz', probabilities=array)
    with pytest.raises(ValueError, match=r'epoch_1\.npz: probabilities is an array'):
        read_run(work_dir)


@pytest.mark.parametrize(
    'line',
    [
        '{"step": 4, "loss": "x", "epoch": 1, "iter": 4}',
        '{"step": 4, "loss": 1, "epoch": "1", "iter": 4}',
        '{"step": NaN, "loss": 1, "iter": 4}',
        '{"step": -4, "loss": 1, "epoch": 1, "iter": 4}',
        '{"step": 0, "loss": 1, "epoch": 1, "iter": 0}',
        '{"step": true, "loss": [1], "epoch": {}, "iter": null}',
        '[1]',
    ],
)
def test_lines_of_other_kinds(line: str, work_dir: Path) -> None:
    path = work_dir / '20260101_000000/vis_data/scalars.json'
    good = '{"loss": 1.0, "iter": 4, "epoch": 1, "step": 4}\n'
    path.write_text(good + line + '\n')
    log = read_run(work_dir).log
    # Of one epoch nobody knows how long it is.
    assert math.isnan(log.epochs()) and log.last('loss') is not None
    assert len(log.curve('loss', True)[0]) >= 1
    path.write_text(line + '\n')
    try:
        log = read_run(work_dir).log
        log.epochs(), log.last('loss'), log.curve('loss', True)
    except ValueError as error:
        assert 'hold no scalars' in str(error)


@pytest.mark.parametrize(
    'text',
    ['x = ' + '-' * 10**5 + '1', 'x = 1\0', f'x = {"9" * 5000}', 'x = ' + '[' * 500],
)
def test_configs_that_are_none(text: str, work_dir: Path) -> None:
    (work_dir / '20260101_000000/vis_data/config.py').write_text(text)
    with pytest.raises(ValueError, match='run: the config cannot be read'):
        read_run(work_dir)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    root = tmp_path / 'images'
    (root / 'a').mkdir(parents=True)
    (root / 'a/1.jpg').touch()
    (tmp_path / 'secret.jpg').touch()
    (tmp_path / 'secret').mkdir()
    (tmp_path / 'secret/2.jpg').touch()
    return root


def _spoiled(root: Path, change: Callable[[dict[str, Any]], Any]) -> str:
    content = FolderIndex.scan(root, ('.jpg',)).to_json()
    change(content)
    return json.dumps(content)


def _listed(content: dict[str, Any], key: str, *, name: str) -> None:
    time = content['listings']['a'][0]
    content['listings'][key] = [time, [], [name]]


INDICES: dict[str, Callable[[dict[str, Any]], Any]] = {
    'a file above': lambda c: c['listings']['a'][2].append('../../secret.jpg'),
    'an absolute file': lambda c: c['listings']['a'][2].append('/etc/x.jpg'),
    'a file of another folder': lambda c: c['listings']['a'][2].append('b/2.jpg'),
    'a folder above': lambda c: _listed(c, '../secret', name='2.jpg'),
    'a folder above that is listed': lambda c: (
        c['listings'][''][1].append('..'),
        _listed(c, '..', name='secret.jpg'),
    ),
    'an absolute folder': lambda c: _listed(c, '/etc', name='2.jpg'),
    'a way back': lambda c: _listed(c, 'a/../../secret', name='2.jpg'),
    'a folder that nothing lists': lambda c: _listed(c, 'b', name='2.jpg'),
    'two strokes': lambda c: _listed(c, 'a//', name='2.jpg'),
    'a null byte': lambda c: c['listings']['a'][2].append('a\0.jpg'),
    'half a character': lambda c: c['listings']['a'][2].append('\ud800.jpg'),
    'another ending': lambda c: c['listings']['a'][2].append('passwd'),
    'a hidden file': lambda c: c['listings']['a'][2].append('.x.jpg'),
    'no name': lambda c: c['listings']['a'][2].append(''),
    'a time that is text': lambda c: c['listings']['a'].__setitem__(0, '1'),
    'a time that is a fraction': lambda c: c['listings']['a'].__setitem__(0, 1.5),
    'a time that is a flag': lambda c: c.update(built=True),
    'a root that is a list': lambda c: c.update(root=['x']),
    'counts that are text': lambda c: c.update(other={'x': 'y'}),
    'listings that are a list': lambda c: c.update(listings=[]),
    'a listing of two': lambda c: c['listings'].update(a=[1, []]),
    'a version that is a flag': lambda c: c.update(version=[1]),
}


@pytest.mark.parametrize('name', INDICES)
def test_an_index_leads_nowhere_else(name: str, images: Path, tmp_path: Path) -> None:
    cache = tmp_path / 'index.json'
    cache.write_text(_spoiled(images, INDICES[name]))
    assert load_index(images, ('.jpg',), cache=cache).paths() == ['a/1.jpg']
    assert json.loads(cache.read_text()) == _spoiled_none(images, cache)


def _spoiled_none(images: Path, cache: Path) -> Any:
    content = FolderIndex.scan(images, ('.jpg',)).to_json()
    return dict(content, built=json.loads(cache.read_text())['built'])


def test_a_good_index_is_still_taken(images: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (images / os.fsdecode(b'caf\xe9')).mkdir()
    (images / os.fsdecode(b'caf\xe9/\xff.jpg')).touch()
    cache = tmp_path / 'index.json'
    first = load_index(images, ('.jpg',), cache=cache)
    monkeypatch.setattr(FolderIndex, 'scan', None)
    assert load_index(images, ('.jpg',), cache=cache) == first and len(first) == 2


@pytest.mark.parametrize('kind', NO_FILES)
def test_an_index_that_is_no_file(kind: str, images: Path, tmp_path: Path) -> None:
    NO_FILES[kind](tmp_path / 'index.json')
    with within_seconds(SECONDS):
        try:
            assert load_index(images, ('.jpg',), cache=tmp_path / 'index.json').paths()
        except IsADirectoryError as error:
            assert kind == 'a folder' and 'index.json' in str(error)


def test_a_circle_of_links_among_images(images: Path) -> None:
    (images / 'a/loop.jpg').symlink_to('loop.jpg')
    (images / 'loop').symlink_to('loop')
    (images / 'pipes').mkdir()
    os.mkfifo(images / 'pipes/p.jpg')
    index = FolderIndex.scan(images, ('.jpg',))
    assert index.paths() == ['a/1.jpg'] and sorted(index.broken_links) == ['a/loop.jpg', 'loop']


@pytest.mark.parametrize('name', ['../../secret', '/etc/passwd', 'a/../../b', '..'])
def test_lists_name_nothing_above_their_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / 'ImageSets/Main').mkdir(parents=True)
    (tmp_path / 'ImageSets/Main/trainval.txt').write_text(f'{name}\n')
    with pytest.raises(ValueError, match=r'trainval\.txt names .* expected a path below'):
        VOCClassification(tmp_path)
    pytest.importorskip('mmdet', reason='mmdet is not installed')
    from mochi_mm.transfer.coco_content import check_coco

    image = dict(id=1, width=4, height=4, file_name=f'{name}.jpg' if name != '..' else name)
    box = dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 2, 2], area=4)
    content = dict(images=[image], annotations=[box], categories=[dict(id=1, name='a')])
    with pytest.raises(ValueError, match=r'train\.json: images\[0\] .* expected a path below'):
        check_coco(content, 'train.json', ['a'], False)


def test_a_start_in_a_folder_of_circles(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv('MOCHI_MM_JOB', 'a')
    (tmp_path / 'a.pth').symlink_to('a.pth')
    os.mkfifo(tmp_path / 'b.pth')
    with within_seconds(SECONDS):
        note_start(tmp_path)
        assert written_since(tmp_path) == set()
    shutil.copy(__file__, tmp_path / 'c.pth')
    assert written_since(tmp_path) == {tmp_path / 'c.pth'}
