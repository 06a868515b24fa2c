"""Embeddings of a folder: the features themselves, kills at every place, and changed input."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.datasets.any_images import any_images
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import PackWriter
from mochi_mm.evaluation.embeddings import (
    EmbedSettings,
    embed_images,
    embedding_plan,
    partial_embeddings,
    read_embeddings,
)
from mochi_mm.evaluation.embeddings.nearest_images import nearest_images
from mochi_mm.evaluation.encoder import Encoder
from tests.evaluation.embeddings.toy import NAMES, picture, picture_folder, toy_encoder

PACK_INPUTS = [dict(type='PackInputs')]
SETTINGS = EmbedSettings(batch_size=2)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_embeddings, 'SHARD_IMAGES', 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return picture_folder(tmp_path / 'images')


def embed(
    folder: Path, out: Path, encoder: Encoder | None = None, **settings: Any
) -> tuple[int, list[str]]:
    chosen = EmbedSettings(**{'batch_size': 2, **settings})
    dataset = any_images(folder, PACK_INPUTS)
    return embed_images(encoder or toy_encoder(), dataset, out, chosen, tell=lambda line: None)


def one_by_one(folder: Path, encoder: Encoder) -> np.ndarray:
    """The features of each image alone, in float64."""
    model, rows = encoder.model.double().eval(), []
    images = any_images(folder)
    for index in range(len(images)):
        pixels = torch.from_numpy(np.array(images.image(index))).permute(2, 0, 1)[None].double()
        mean, std = model.data_preprocessor.mean, model.data_preprocessor.std
        (maps,) = model.backbone((pixels - mean) / std)
        rows.append(maps[0].flatten(1).mean(1).detach().numpy())
    return np.stack(rows)


@pytest.mark.parametrize('ending', ['npz', 'parquet'])
def test_features_and_paths(folder: Path, tmp_path: Path, ending: str) -> None:
    if ending == 'parquet':
        pytest.importorskip('pyarrow', reason='pyarrow is not installed')
    out = tmp_path / f'x.{ending}'
    assert embed(folder, out) == (len(NAMES), [])
    found = read_embeddings(out)
    assert found.paths == [any_images(folder).name(i) for i in range(len(NAMES))]
    assert sorted(found.paths) == sorted(NAMES)
    np.testing.assert_allclose(found.features, one_by_one(folder, toy_encoder()), atol=1e-5)
    assert found.features.flags.writeable  # torch warns of others
    assert found.about['count'] == len(NAMES) and found.about['weights'] == toy_encoder().weights
    assert {path.name for path in tmp_path.iterdir()} == {'images', out.name}
    if ending == 'npz':
        with np.load(out, allow_pickle=False) as plain:
            assert plain['features'].shape == (len(NAMES), 16)
            assert list(plain['paths']) == found.paths


@pytest.mark.parametrize('ending', ['npz', 'parquet'])
def test_a_kill_anywhere_changes_no_byte(
    folder: Path, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and behind each of three shards, while the file is written, and before the last."""
    if ending == 'parquet':
        pytest.importorskip('pyarrow', reason='pyarrow is not installed')
    whole = tmp_path / f'whole.{ending}'
    embed(folder, whole)
    out = tmp_path / f'x.{ending}'
    real = partial_embeddings.write_safetensors
    real_clear = partial_embeddings.PartialEmbeddings.clear
    for stop in range(5):
        written = 0

        def write(*arguments: Any) -> str:
            nonlocal written
            if written == stop:  # noqa: B023
                raise KeyboardInterrupt
            written += 1
            return real(*arguments)

        def clear(partial: Any) -> None:
            if partial.out.exists():
                raise KeyboardInterrupt
            real_clear(partial)

        monkeypatch.setattr(partial_embeddings, 'write_safetensors', write)
        if stop == 3:  # all shards are there
            joining = 'mochi_mm.evaluation.embeddings.embedding_file._member'
            joining = joining if ending == 'npz' else joining.replace('_member', '_parquet')
            monkeypatch.setattr(joining, lambda *arguments: (_ for _ in ()).throw(MemoryError))
        if stop == 4:
            monkeypatch.setattr(partial_embeddings.PartialEmbeddings, 'clear', clear)
        with pytest.raises((KeyboardInterrupt, MemoryError)):
            embed(folder, out)
        assert out.exists() == (stop == 4)
        assert (tmp_path / f'{out.name}.partial').exists() == (stop > 0)
        monkeypatch.undo()
        monkeypatch.setattr(partial_embeddings, 'SHARD_IMAGES', 4)
        assert embed(folder, out, workers=int(stop == 1)) == (len(NAMES), [])
        assert out.read_bytes() == whole.read_bytes()
        assert not (tmp_path / f'{out.name}.partial').exists()
        out.unlink()


def interrupted(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one of three shards."""
    real, left = partial_embeddings.write_safetensors, [1]

    def write(*arguments: Any) -> str:
        if not left.pop() if left else True:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(partial_embeddings, 'write_safetensors', write)
        with pytest.raises(KeyboardInterrupt):
            embed(folder, out)


def test_changed_input_is_refused_with_what_changed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / 'x.npz'
    interrupted(folder, out, monkeypatch)
    left = sorted(path.name for path in (tmp_path / 'x.npz.partial').iterdir())
    assert left == ['images.txt', 'plan.json', 'shard-00000.safetensors']
    with pytest.raises(ValueError, match='changed since: the weights of the backbone. Expected'):
        embed(folder, out, toy_encoder(1))
    with pytest.raises(ValueError, match=r'changed since: the batch size \(2, now 3\)'):
        embed(folder, out, batch_size=3)
    picture(99).save(folder / 'new.png')
    os.utime(folder / '0.png', ns=(1, 1))
    (folder / 'a/0.jpg').unlink()
    said = r'the list of images \(1 new: new.png; 1 gone: a/0.jpg; 1 changed: 0.png\)'
    with pytest.raises(ValueError, match=said):
        embed(folder, out)
    assert sorted(path.name for path in (tmp_path / 'x.npz.partial').iterdir()) == left
    assert not out.exists()


def test_images_that_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    torn = folder / 'a/b/0.png'
    torn.write_bytes(torn.read_bytes()[:60])
    out, other = tmp_path / 'x.npz', tmp_path / 'other.npz'
    with pytest.raises(ValueError, match=r"a/b/0\.png'.*--skip-unreadable"):
        embed(folder, out)
    count, skipped = embed(folder, out, skip_unreadable=True)
    assert (count, skipped) == (len(NAMES) - 1, ['a/b/0.png'])
    assert embed(folder, other, skip_unreadable=True) == (count, skipped)
    assert out.read_bytes() == other.read_bytes()
    found = read_embeddings(out)
    assert 'a/b/0.png' not in found.paths and found.about['skipped'] == skipped


def test_a_whole_shard_that_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    whole = [any_images(folder).name(i) for i in range(len(NAMES))]
    for name in whole[4:8]:
        (folder / name).write_bytes(b'none')
    count, skipped = embed(folder, tmp_path / 'x.npz', skip_unreadable=True)
    assert (count, skipped) == (len(NAMES) - 4, whole[4:8])
    found = read_embeddings(tmp_path / 'x.npz')
    assert found.paths == [*whole[:4], *whole[8:]] and found.features.shape == (count, 16)


def test_what_cannot_be_done_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / 'there.npz').write_bytes(b'mine')
    with pytest.raises(ValueError, match=r'there\.npz exists; expected a new file'):
        embed(folder, tmp_path / 'there.npz')
    assert (tmp_path / 'there.npz').read_bytes() == b'mine'
    with pytest.raises(ValueError, match=r"ends with '.csv'; expected .npz or .parquet"):
        embed(folder, tmp_path / 'x.csv')
    with pytest.raises(ValueError, match='batch_size is 0'):
        embed(folder, tmp_path / 'x.npz', batch_size=0)
    picture(5, size=16).save(folder / '0.png')
    with pytest.raises(ValueError, match=r'several sizes.*\(3, 12, 12\) and \(3, 16, 16\).*--size'):
        embed(folder, tmp_path / 'x.npz')
    (tmp_path / 'none').mkdir()
    with pytest.raises(ValueError, match='no images in'):
        embed(tmp_path / 'none', tmp_path / 'x.npz')
    picture(1).save(os.fsencode(tmp_path / 'none') + b'/\xff.png')
    with pytest.raises(ValueError, match='is no UTF-8.*rename it, or move it out of the folder'):
        embed(tmp_path / 'none', tmp_path / 'x.npz')
    assert {path.name for path in tmp_path.iterdir()} == {'images', 'there.npz', 'none'}
    (tmp_path / 'x.npz.partial').mkdir()
    (tmp_path / 'x.npz.partial/notes').touch()
    with pytest.raises(ValueError, match="is in the way: it holds 'notes'"):
        embed(folder, tmp_path / 'x.npz')


def test_parquet_without_pyarrow(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__('sys').modules, 'pyarrow', None)
    monkeypatch.setitem(__import__('sys').modules, 'pyarrow.parquet', None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[parquet\]'"):
        embed(folder, tmp_path / 'x.parquet')
    assert {path.name for path in tmp_path.iterdir()} == {'images'}


def test_a_pack_gives_the_same(folder: Path, tmp_path: Path) -> None:
    source = any_images(folder)
    options = PackOptions.of('as they are', None, None, None)
    PackWriter(source, tmp_path / 'pack', options, tell=lambda line: None).write()  # type: ignore[arg-type]
    embed(folder, tmp_path / 'x.npz')
    embed(tmp_path / 'pack', tmp_path / 'y.npz')
    first, second = (read_embeddings(tmp_path / name) for name in ('x.npz', 'y.npz'))
    assert first.paths == second.paths
    np.testing.assert_array_equal(first.features, second.features)


def test_damage_is_named(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / 'other.npz', features=np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match='no whole file of embeddings'):
        read_embeddings(tmp_path / 'other.npz')
    whole = dict(paths=np.array(['a']), features=np.ones((1, 3), np.float32))
    np.savez(tmp_path / 'about.npz', **whole, about=np.array('[1]'))
    with pytest.raises(ValueError, match='about is a list, no dict'):
        read_embeddings(tmp_path / 'about.npz')
    np.savez(tmp_path / 'one.npz', **whole, about=np.array('{}'))
    one = read_embeddings(tmp_path / 'one.npz')
    with pytest.raises(ValueError, match="'a' is the only image that was embedded"):
        nearest_images(one, torch.ones(1, 3), ['a'], 1, other=True)
    with pytest.raises(FileNotFoundError, match=r'tools/embed\.py'):
        read_embeddings(tmp_path / 'none.npz')
    assert embedding_plan.plan_changes('text', {}) == ['its plan cannot be read']
