"""PackedImages gives what ImageFolder gives on the folder that was packed; damage is named."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, default_collate

from mochi_mm.datasets import (
    ConcatDataset,
    ImageFolder,
    InMemory,
    KeyedSampler,
    LongTail,
    PackedImages,
    RepeatDataset,
)
from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.packs.check_pack import check_pack
from mochi_mm.datasets.packs.pack_reader import PackReader
from mochi_mm.datasets.same_images import same_images
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.engine.data_facts import data_changes, describe_data
from mochi_mm.evaluation.knn_evaluate import check_knn_data
from mochi_mm.randomness import SampleKey
from tests.datasets.packs.toy import packed, picture_folder

VIEW = [
    dict(type='RandomResizedCrop', size=24, scale=(0.2, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]
RECIPES = ('MultiView', 'FastMultiView', 'DeviceMultiView')
KINDS = ('jpeg', 'raw', 'as they are')


def recipe(kind: str) -> list[dict[str, Any]]:
    return [dict(type=kind, transforms=[VIEW], num_views=[2]), dict(type='PackInputs')]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(scope='module')
def packs(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('packs')
    for kind in KINDS:
        packed(folder, root / kind, kind)
    return root


def equal(sample: Any, other: Any) -> bool:
    one, two = sample['data_samples'], other['data_samples']
    same = one['sample_idx'] == two['sample_idx'] and one['gt_label'] == two['gt_label']
    return same and all(map(torch.equal, sample['inputs'], other['inputs']))


@pytest.mark.parametrize('kind', RECIPES)
def test_files_as_they_are_give_the_same_bits(folder: Path, packs: Path, kind: str) -> None:
    here = ImageFolder(folder, pipeline=recipe(kind))
    there = PackedImages(packs, 'as they are', pipeline=recipe(kind))
    assert (len(here), here.classes) == (len(there), there.classes) == (8, ('a', 'b', 'c'))
    assert here.labels.tolist() == there.labels.tolist() and there.labels.flags.writeable
    for index in range(8):
        key = SampleKey(index, 3, 2)
        if here.name(index) == 'b/torn.jpg':
            for dataset in (here, there):
                with pytest.raises(UnreadableImage, match=r'b/torn\.jpg'):
                    dataset[key]
            continue
        assert equal(here[key], there[key])
    here.faults, there.faults = FaultRecord(8), FaultRecord(8)
    torn = [here.name(index) for index in range(8)].index('b/torn.jpg')
    assert equal(here[SampleKey(torn, 1, 1)], there[SampleKey(torn, 1, 1)])
    assert there.faults.new() == [torn]


@pytest.mark.parametrize('pack', ['jpeg', 'raw'])
@pytest.mark.parametrize('kind', RECIPES)
def test_smaller_images_give_the_same_draws(
    folder: Path, packs: Path, pack: str, kind: str
) -> None:
    """The same parts of the image in the same colors: boxes are drawn as shares of the sides."""
    here = ImageFolder(folder, pipeline=recipe(kind))
    there = PackedImages(packs / pack, pipeline=recipe(kind))
    found = []
    for index in (0, 1, 2, 7):
        views = zip(
            here[SampleKey(index, 3, 2)]['inputs'],
            there[SampleKey(index, 3, 2)]['inputs'],
            strict=True,
        )
        found += [float((a.float() - b.float()).abs().mean()) for a, b in views]
    assert np.mean(found) < 10


@pytest.mark.parametrize('pack', ['jpeg', 'raw'])
def test_boxes_are_drawn_on_the_sizes_of_the_files(folder: Path, packs: Path, pack: str) -> None:
    """The same numbers, and both recipes cut the same pixels out of what the pack holds."""
    key = SampleKey(2, 3, 2)
    given = [
        data[key]['data_samples']['view_parameters']
        for data in (
            ImageFolder(folder, pipeline=recipe('DeviceMultiView')),
            PackedImages(packs / pack, pipeline=recipe('DeviceMultiView')),
        )
    ]
    assert torch.equal(given[0].box, given[1].box)
    crops = [
        PackedImages(
            packs / pack,
            pipeline=[
                dict(type=kind, transforms=[VIEW[:1]], num_views=[2]),
                dict(type='PackInputs'),
            ],
        )[key]['inputs']
        for kind in ('MultiView', 'FastMultiView')
    ]
    for one, other in zip(*crops, strict=True):
        assert (one.int() - other.int()).abs().max() <= 2
    # A transform before the crop: what it makes is drawn on as it is.
    first = dict(type='MultiView', num_views=[1])
    transforms = [[dict(type='CenterCrop', size=20), dict(type='RandomResizedCrop', size=8)]]
    small = dict(first, transforms=transforms)
    packed_view = PackedImages(packs / pack, pipeline=[small, dict(type='PackInputs')])[key]
    assert packed_view['inputs'][0].shape == (3, 8, 8)


def test_a_pack_of_the_first_version_is_read_as_before(packs: Path, tmp_path: Path) -> None:
    old = shutil.copytree(packs / 'jpeg', tmp_path / 'old')
    (old / 'originals.npy').unlink()
    record = json.loads((old / 'pack.json').read_text())
    del record['files']['originals.npy']
    (old / 'pack.json').write_text(json.dumps(record))
    with pytest.raises(ValueError, match='no array originals'):
        PackedImages(old)
    (old / 'pack.json').write_text(json.dumps(record | dict(version=1)))
    here = PackedImages(old, pipeline=recipe('DeviceMultiView'))
    there = PackedImages(packs / 'jpeg', pipeline=recipe('DeviceMultiView'))
    box = here[SampleKey(2, 3, 2)]['data_samples']['view_parameters'].box
    width, height = here.image(2).size
    assert bool((box[:, :2] + box[:, 2:] <= torch.tensor([height, width])).all())
    assert here.fingerprint() != there.fingerprint()  # a resume would draw other boxes


def test_pixels_are_those_of_the_index(packs: Path) -> None:
    dataset = PackedImages(packs / 'raw')
    width, height = dataset.pack.sizes[0].tolist()
    pixels = np.frombuffer(dataset.pack.data(0), np.uint8).reshape(height, width, 3)
    np.testing.assert_array_equal(np.asarray(dataset.image(0)), pixels)


@pytest.mark.parametrize(
    'choice',
    [
        dict(classes=['c', 'a']),
        dict(classes=[]),
        dict(exclude='EXCLUDE'),
        dict(include='INCLUDE'),
        dict(classes=['a', 'b'], exclude='EXCLUDE'),
        dict(classes=['b'], include='INCLUDE'),
    ],
)
def test_choices_are_those_of_a_folder(
    folder: Path, packs: Path, tmp_path: Path, choice: dict[str, Any]
) -> None:
    (tmp_path / 'include').write_text('b/1.png\nb/4.jpg\n')
    lists = dict(EXCLUDE=packs / 'jpeg/exclude.txt', INCLUDE=tmp_path / 'include')
    given = {k: lists.get(v, v) if isinstance(v, str) else v for k, v in choice.items()}
    here, there = ImageFolder(folder, **given), PackedImages(packs / 'jpeg', **given)
    assert here.classes == there.classes and here.labels.tolist() == there.labels.tolist()
    assert [here.name(i) for i in range(len(here))] == [there.name(i) for i in range(len(there))]


def test_choices_that_do_not_match(packs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'1 of 2 listed classes are not in the pack.*Nearest'):
        PackedImages(packs / 'jpeg', classes=['a', 'bb'])
    (tmp_path / 'list').write_text('a/0.jpg\nb/nothing.jpg\n')
    for setting in ('exclude', 'include'):
        with pytest.raises(ValueError, match=r"1 of the 2 lines .*'b/nothing\.jpg'"):
            PackedImages(packs / 'jpeg', **{setting: tmp_path / 'list'})
        with pytest.raises(FileNotFoundError, match='which is no file'):
            PackedImages(packs / 'jpeg', **{setting: tmp_path / 'absent'})
    (tmp_path / 'list').write_text('a/0.jpg\n')
    with pytest.raises(ValueError, match='that is taken'):
        PackedImages(packs / 'jpeg', classes=['b'], include=tmp_path / 'list')
    (tmp_path / 'list').write_text('a/0.jpg\na/3.jpg\na/6.jpg\n')
    with pytest.raises(ValueError, match='no image .* is left'):
        PackedImages(packs / 'jpeg', classes=['a'], exclude=tmp_path / 'list')


@pytest.mark.parametrize('workers', [0, 2])
def test_any_workers_and_a_resume_give_the_same_bits(packs: Path, workers: int) -> None:
    exclude = packs / 'jpeg/exclude.txt'
    dataset = PackedImages(packs / 'jpeg', pipeline=recipe('FastMultiView'), exclude=exclude)
    sampler = KeyedSampler(dataset, seed=4)
    sampler.set_epoch(3)
    straight = [dataset[key] for key in sampler]
    sampler.leave_out(4)
    loader = DataLoader(dataset, batch_size=2, sampler=sampler, num_workers=workers)
    rest = [default_collate(straight[i : i + 2]) for i in (4, 6)]
    for batch, expected in zip(loader, rest, strict=True):
        assert equal_batches(batch, expected)


@pytest.mark.parametrize('kind', RECIPES)
@pytest.mark.parametrize('workers', [0, 1])
def test_repeats_are_drawn_from_one_decoding(
    packs: Path, monkeypatch: Any, kind: str, workers: int
) -> None:
    """The same bits with the image at hand, and read again where a resume parts its samples."""
    exclude = packs / 'jpeg/exclude.txt'
    dataset = PackedImages(packs / 'jpeg', pipeline=recipe(kind), exclude=exclude)
    fresh = PackedImages(packs / 'jpeg', pipeline=recipe(kind), exclude=exclude)
    sampler = KeyedSampler(dataset, seed=4, repeats=2)
    expected = []
    for key in sampler:
        fresh._last = (-1, {})
        expected.append(fresh[key])
    assert len(expected) == 8
    assert not torch.equal(expected[0]['inputs'][0], expected[1]['inputs'][0])
    read: list[int] = []
    real = PackReader.data
    monkeypatch.setattr(PackReader, 'data', lambda self, row: read.append(row) or real(self, row))
    for left_out in (0, 3):
        sampler.leave_out(left_out)
        loader = DataLoader(dataset, sampler=sampler, num_workers=workers, batch_size=None)
        assert all(map(equal, loader, expected[left_out:]))
    assert workers or len(read) == 4 + 3


def equal_batches(batch: Any, other: Any) -> bool:
    same = torch.equal(batch['data_samples']['sample_idx'], other['data_samples']['sample_idx'])
    return same and all(map(torch.equal, batch['inputs'], other['inputs']))


def test_a_pickle_holds_a_path(packs: Path) -> None:
    dataset = PackedImages(packs / 'jpeg', pipeline=recipe('FastMultiView'))
    text = pickle.dumps(dataset.pack)
    assert len(text) < 600
    again = pickle.loads(pickle.dumps(dataset))
    assert again.labels.tolist() == dataset.labels.tolist()
    assert equal(again[SampleKey(2, 1, 1)], dataset[SampleKey(2, 1, 1)])
    part = PackedImages(packs / 'jpeg', classes=['c'])
    again = pickle.loads(pickle.dumps(part))
    assert again.labels.tolist() == part.labels.tolist() and again.name(0) == part.name(0)


def test_other_data_sets_take_it(folder: Path, packs: Path, tmp_path: Path) -> None:
    packed = dict(type='PackedImages', data_root=str(packs), split='raw')
    both = RepeatDataset(packed, 2)
    assert len(both) == 16 and both[9]['sample_idx'] == 1
    assert np.array_equal(np.asarray(both[9]['img']), np.asarray(both[1]['img']))
    with pytest.raises(ValueError, match='hold the same images'):
        ConcatDataset([packed, packed])
    assert len(LongTail(PackedImages(packs / 'jpeg'), factor=0.5)) < 8
    one = tmp_path / 'one.txt'
    one.write_text('a/3.jpg\n')
    held = InMemory(PackedImages(packs / 'as they are', include=one))
    np.testing.assert_array_equal(
        held.pixels[0].numpy(), np.asarray(ImageFolder(folder, include=one).image(0))
    )


def test_the_same_images_are_noticed(folder: Path, packs: Path, tmp_path: Path) -> None:
    first, moved = PackedImages(packs / 'jpeg'), shutil.copytree(packs / 'jpeg', tmp_path / 'moved')
    assert same_images(first, PackedImages(moved))
    with pytest.raises(ValueError, match='same images|the same'):
        check_knn_data(DataLoader(first), DataLoader(PackedImages(moved)), 1)
    exclude = packs / 'jpeg/exclude.txt'
    assert not same_images(first, PackedImages(moved, exclude=exclude))
    assert not same_images(first, ImageFolder(folder))
    facts = describe_data(first)
    assert facts == describe_data(PackedImages(moved)) and set(facts['files']) == {'a', 'b', 'c'}
    changed = data_changes(facts, describe_data(PackedImages(packs / 'raw')))
    assert changed and 'other files of a, b, c' in changed[0]


def cut(pack: Path) -> None:
    shard = pack / 'images-00001.bin'
    shard.write_bytes(shard.read_bytes()[:-7])


def swap(pack: Path) -> None:
    """Put another shard in the place of one, of the same size."""
    one, two = pack / 'images-00000.bin', pack / 'images-00001.bin'
    size = one.stat().st_size
    one.write_bytes(two.read_bytes()[:size].ljust(size, b'\0'))


def flip(pack: Path) -> None:
    shard = pack / 'images-00001.bin'
    data = bytearray(shard.read_bytes())
    data[-50] ^= 1
    shard.write_bytes(data)


def record_with(**changes: Any) -> Callable[[Path], None]:
    def change(pack: Path) -> None:
        record = json.loads((pack / 'pack.json').read_text())
        (pack / 'pack.json').write_text(json.dumps(record | changes))

    return change


def other_array(pack: Path) -> None:
    """Of as many bytes and another length."""
    array = np.load(pack / 'labels.npy')
    np.save(pack / 'labels.npy', array.reshape(2, -1))


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    'torn shard': (cut, r'images-00001\.bin has \d+ bytes, pack\.json says \d+: it is torn'),
    'swapped shard': (swap, r'images-00000\.bin begins with other bytes'),
    'missing shard': (lambda p: (p / 'images-00002.bin').unlink(), r'images-00002\.bin is missing'),
    'missing array': (lambda p: (p / 'offsets.npy').unlink(), r'offsets\.npy is missing'),
    'other array': (other_array, r'labels\.npy holds int64 \(2, 4\); expected'),
    'pipe': (
        lambda p: ((p / 'sizes.npy').unlink(), os.mkfifo(p / 'sizes.npy')),
        'named pipe',
    ),
    'other version': (
        record_with(version=3),
        r'of version 3; this program reads the versions up to 2',
    ),
    'no record': (lambda p: (p / 'pack.json').write_text('[]'), 'of version None'),
    'no text': (lambda p: (p / 'pack.json').write_bytes(b'\xff'), 'no UTF-8'),
    'shards elsewhere': (record_with(shards=[]), 'no record of a pack'),
    'fewer images': (record_with(images=7), r'no record of a pack \(.shards that hold 7'),
    'fewer classes': (record_with(classes=['a']), r'labels from 0 to 2 for 1 classes'),
    'unfinished': (lambda p: (p / 'pack.json').unlink(), r'no pack in .*tools/dataset/pack\.py'),
}


@pytest.mark.parametrize('what', DAMAGE)
def test_damage_is_named(packs: Path, tmp_path: Path, what: str) -> None:
    pack = shutil.copytree(packs / 'jpeg', tmp_path / 'pack')
    damage, words = DAMAGE[what]
    damage(pack)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        PackedImages(pack)


def test_names_lead_nowhere(packs: Path, tmp_path: Path) -> None:
    pack = shutil.copytree(packs / 'jpeg', tmp_path / 'pack')
    record = json.loads((pack / 'pack.json').read_text())
    record['shards'][0]['file'] = '../secret'
    (pack / 'pack.json').write_text(json.dumps(record))
    with pytest.raises(ValueError, match='is no name of a file'):
        PackReader(pack)


def test_every_byte_is_looked_at(packs: Path, tmp_path: Path) -> None:
    pack = shutil.copytree(packs / 'raw', tmp_path / 'pack')
    lines: list[str] = []
    assert len(check_pack(pack, tell=lines.append)) == 8
    flip(pack)
    PackedImages(pack)
    with pytest.raises(ValueError, match=r'1 of the 13 files .*images-00001\.bin\. Restore'):
        check_pack(pack, tell=lines.append)


def test_an_index_of_another_pack(folder: Path, packs: Path, tmp_path: Path) -> None:
    """Of the same number of images: seen at the ends of the shards, and at the image."""
    pack = shutil.copytree(packs / 'jpeg', tmp_path / 'pack')
    shutil.copy(packs / 'raw/lengths.npy', pack)
    with pytest.raises(ValueError, match='does not match images-00000.bin'):
        PackReader(pack)
    shutil.copy(packs / 'jpeg/lengths.npy', pack)
    offsets = np.load(pack / 'offsets.npy')
    offsets[1] = 2**40
    np.save(pack / 'offsets.npy', offsets)
    with pytest.raises(ValueError, match=r'puts image 1 at \d+ bytes behind 1099511627776'):
        PackedImages(pack).image(1)


def test_a_shard_that_is_cut_while_it_is_read(packs: Path, tmp_path: Path) -> None:
    pack = shutil.copytree(packs / 'jpeg', tmp_path / 'pack')
    dataset = PackedImages(pack, pipeline=recipe('FastMultiView'))
    dataset.faults = FaultRecord(8)
    dataset[SampleKey(7)]
    with open(pack / 'images-00002.bin', 'r+b') as file:
        file.truncate(100)
    with pytest.raises(ValueError, match=r'images-00002\.bin ends within image 7') as error:
        dataset[SampleKey(7)]
    assert not isinstance(error.value, UnreadableImage)


def test_a_pack_that_cannot_be_written_to(packs: Path, tmp_path: Path) -> None:
    pack = shutil.copytree(packs / 'jpeg', tmp_path / 'pack')
    for path in [*pack.iterdir(), pack]:
        path.chmod(0o555)
    before = sorted((p.name, p.stat().st_mtime_ns) for p in [*pack.iterdir(), pack])
    assert len(PackedImages(pack, pipeline=recipe('DeviceMultiView'))[0]['inputs']) == 2
    assert before == sorted((p.name, p.stat().st_mtime_ns) for p in [*pack.iterdir(), pack])
    pack.chmod(0o755)
