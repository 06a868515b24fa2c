"""The two commands: what they write and say, and words that do not go together."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from mochi_mm.datasets import PackedImages
from mochi_mm.datasets.packs.pack_record import PackRecord
from tests.datasets.packs.test_index_tars import write_tar
from tests.datasets.packs.toy import content, packed, picture_folder
from tests.toy_runner import REPOSITORY

Main = Callable[[list[str]], None]
pack: Main = runpy.run_path(str(REPOSITORY / 'tools/dataset/pack.py'))['main']
index_tars: Main = runpy.run_path(str(REPOSITORY / 'tools/dataset/index_tars.py'))['main']


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp('pictures'))


def test_packs_and_checks(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'packs/small'
    words = ['--short-side', '48', '--shard-images', '3', '--workers', '1']
    pack([str(folder), str(out), *words])
    said = capsys.readouterr().out
    assert '8 images' in said and 'in 3 shards' in said and 'of 1 images' in said
    assert '1 cannot be read' in said and "'b/torn.jpg'" in said
    assert content(out) == content(packed(folder, tmp_path / 'other'))
    pack(['--check', str(out)])
    assert '8 images in 3 shards, as packed' in capsys.readouterr().out
    pack([str(folder), str(tmp_path / 'raw'), '--raw', '--no-labels', '--workers', '1'])
    record = PackRecord.read(tmp_path / 'raw')
    assert record.options.to_json() == dict(kind='raw', short_side=320, quality=None, chroma=None)
    assert record.classes == ()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['FOLDER'], 'expected FOLDER and OUT, or --check PACK'),
        (['--check', 'p', 'FOLDER'], '--check looks at p alone'),
        (['FOLDER', 'o', '--shards', 's'], '--shards belongs to --check'),
        (['FOLDER', 'o', '--raw', '--as-they-are'], 'not allowed with'),
        (['FOLDER', 'o', '--no-labels', '--classes', 'c'], 'exclude each other'),
        (['FOLDER', 'o', '--qualty', '3'], 'Nearest: --quality'),
    ],
)
def test_words_that_do_not_go_together(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        pack(words)
    assert error.value.code == 2 and said in capsys.readouterr().err


def test_options_out_of_range_touch_nothing(folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / 'pack')
    for words, said in (
        (['--quality', '0'], 'quality is 0'),
        (['--short-side', '4'], 'short_side is 4'),
        (['--raw', '--chroma', '4:2:0'], 'which images of the kind'),
        (['--workers', '0'], 'workers is 0'),
        (['--shard-images', '0'], 'shard_images is 0'),
        (['--classes', 'nowhere.txt'], 'no class list'),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=said):
            pack([str(folder), out, *words])
    assert not list(tmp_path.iterdir())


def test_indexes_tars(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'tars').mkdir()
    data = (folder / 'a/0.jpg').read_bytes()
    write_tar(tmp_path / 'tars/one.tar', {'0.jpg': data, '0.cls': b'1', '1.jpg': data})
    (tmp_path / 'names.txt').write_text('cat\ndog\n\n')
    words = [str(tmp_path / 'tars'), str(tmp_path / 'index')]
    index_tars([*words, '--class-names', str(tmp_path / 'names.txt')])
    assert '2 images of 2 classes in 1 tars, 0 of them' in capsys.readouterr().out
    dataset = PackedImages(tmp_path / 'index', shards=tmp_path / 'tars')
    assert dataset.classes == ('cat', 'dog') and dataset.labels.tolist() == [1, -1]
    pack(['--check', str(tmp_path / 'index'), '--shards', str(tmp_path / 'tars')])
