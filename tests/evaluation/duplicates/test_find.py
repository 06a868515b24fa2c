"""Finding near-duplicates by hash and by features; the tools around it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.datasets import ImageFolder
from mochi_mm.evaluation.duplicates import (
    Limits,
    are_near_duplicates,
    feature_pairs,
    find_near_duplicates,
    read_pictures,
)
from mochi_mm.registry import MODELS
from tests.datasets.duplicates.test_duplicates import scene

TOOLS = Path(__file__).resolve().parents[3] / 'tools'


def tool(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(f'{path.replace("/", "_")}_tool', TOOLS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty scenes in two folders, ten planted copies, one file that is damaged."""
    root = tmp_path_factory.mktemp('images')
    planting = tool('benchmarks/planted_duplicates.py')
    rng = np.random.default_rng(0)
    for name in ('a', 'b'):
        (root / name).mkdir()
    for number in range(60):
        scene(number).save(root / 'ab'[number % 2] / f'{number:02d}.png')
    for number in range(10):
        copy = planting.plant(scene(3 * number), planting.KINDS[number % 5], rng)
        copy.save(root / 'b' / f'copy_of_{3 * number:02d}.png')
    (root / 'a' / 'damaged.png').write_bytes(b'\x89PNG\r\n\x1a\n no more')
    return root


def test_the_tool_lists_the_planted_and_the_data_set_leaves_them_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    search = tool('dataset/near_duplicates.py')
    out = tmp_path / 'out'
    groups = search.main([str(folder), '--out', str(out), '--pictures', '3'])
    assert len(groups) == 10 and all(len(group.left_out) == 1 for group in groups)
    listed = (out / 'exclude.txt').read_text().split()
    table = (out / 'near_duplicates.csv').read_text().splitlines()
    assert len(table) == 11
    for line in table[1:]:
        stays, goes, correlation, by_hash, by_features = line.split(',')
        copy, source = sorted((stays, goes), key=lambda name: 'copy' not in name)
        assert copy.endswith(source[2:]) and goes in listed
        assert float(correlation) >= 0.94 and (by_hash, by_features) == ('True', 'False')
    page = (out / 'near_duplicates.html').read_text()
    assert page.count('<section>') == 3 and 'first 3 of 10' in page and 'http' not in page
    assert 'damaged.png' in capsys.readouterr().out
    left = ImageFolder(folder, classes=[], exclude=out / 'exclude.txt')
    assert len(left) == 71 - 10
    with pytest.raises(FileExistsError, match=r'exclude.txt exists'):
        search.main([str(folder), '--out', str(out)])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match='no images in'):
        (tmp_path / 'out' / 'empty').mkdir()
        search.main([str(tmp_path / 'out' / 'empty'), '--out', str(tmp_path / 'none')])
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_left_where_writing_fails(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = tool('dataset/near_duplicates.py')
    monkeypatch.setattr(search, 'FILES', ('exclude.txt', 'near_duplicates.csv', 'no/such.html'))
    with pytest.raises(FileNotFoundError):
        search.main([str(folder), '--out', str(tmp_path)])
    assert not any(tmp_path.iterdir())
    (tmp_path / 'file').touch()
    for out in ('file', 'file/x'):  # before anything is searched
        with pytest.raises(SystemExit):
            search.main(['no_folder', '--out', str(tmp_path / out)])


def test_features_find_what_the_hash_does_not() -> None:
    mirrored = scene(5).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    images = [scene(5), mirrored, scene(5), scene(6)]
    pictures = read_pictures(_Images(images))
    features = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.0, 3.0]])
    pairs, cosines = feature_pairs(features, 0.99, chunk=3)
    assert pairs.tolist() == [[0, 1], [2, 3]]
    torch.testing.assert_close(cosines, torch.tensor([1 / 1.01**0.5, 1.0]))
    found = find_near_duplicates(pictures, features)
    assert found.pairs.tolist() == [[0, 2]] and found.candidates == 3  # pixels have the last word
    assert found.by_hash.tolist() == [True] and found.by_features.tolist() == [False]
    alone = find_near_duplicates(pictures, torch.ones(4, 1), by_hash=False)
    assert alone.pairs.tolist() == [[0, 2]] and alone.by_features.all() and not alone.by_hash.any()
    asked = np.array([[0, 2], [0, 1], [2, 3]])
    assert are_near_duplicates(pictures, asked, Limits()).tolist() == [True, False, False]
    with pytest.raises(ValueError, match='nothing to search by'):
        find_near_duplicates(pictures, by_hash=False)
    with pytest.raises(ValueError, match='hardly tell images apart'):
        feature_pairs(torch.ones(2100, 1), 0.9)


CONFIG = """
default_scope = 'mochi_mm'
custom_imports = dict(imports=['tests.runs.doctor.toy'])
model = dict(type='ImageClassifier',
             backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'))
images = dict(batch_size=8, num_workers=0, dataset=dict(
    type='ImageFolder', data_root={root!r}, classes=[], exclude={exclude!r},
    pipeline=[dict(type='PackInputs')]))
train_dataloader = images
query_dataloader = images
del images
"""


def test_networks_of_a_config_and_of_a_file(folder: Path, tmp_path: Path) -> None:
    search = tool('dataset/near_duplicates.py')
    backbone = dict(type='ResNet', depth=10, width=0.125, stem='small')
    torch.manual_seed(0)
    model = MODELS.build(dict(type='ImageClassifier', backbone=backbone))
    record = dict(backbone=backbone, mean=[120.0] * 3, std=[60.0] * 3, channel_order='rgb')
    record['algorithm'] = 'ImageClassifier'
    weights = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(mochi_mm=record)), weights)
    by_features = ['--no-hash', '--cosine', '0.97']
    words = [str(folder), '--weights', str(weights), '--size', '32', '--out', str(tmp_path / 'w')]
    assert len(search.main([*words, *by_features])) == 10
    assert 'False,True' in (tmp_path / 'w' / 'near_duplicates.csv').read_text()
    former = tmp_path / 'former.txt'
    former.write_text('a/00.png\na/damaged.png\n')  # one of a planted pair
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(folder), exclude=str(former)))
    words = [str(config), '--checkpoint', str(weights), '--allow-other-input', '--out']
    with pytest.raises(ValueError, match='several sizes'):
        search.main([*words, str(tmp_path / 'none')])
    assert len(search.main([*words, str(tmp_path / 'c'), '--size', '32'])) == 9
    listed = (tmp_path / 'c' / 'exclude.txt').read_text().split()
    assert len(listed) == 11 and {'a/00.png', 'a/damaged.png'} < set(listed)


class _Images:
    def __init__(self, images: list[Image.Image]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Image.Image:
        return self.images[index]


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (['--cosine', '0.5'], '--cosine is not read in a search by hash alone'),
        (['--size', '32'], '--size is not read in a search by hash alone'),
        (['--allow-other-input'], '--allow-other-input is not read'),
        (['--weights', 'w.pth', '--no-hash', '--bits', '3'], '--bits is not read in a search by f'),
    ],
)
def test_options_that_nothing_would_read(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        tool('dataset/near_duplicates.py').main(['.', '--out', str(tmp_path / 'o'), *options])
    assert said in capsys.readouterr().err
