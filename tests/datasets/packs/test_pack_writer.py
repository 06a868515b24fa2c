"""Packing: what is written, kills, a full disk, and what is refused."""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.packs import pack_writer, write_index
from mochi_mm.datasets.packs.check_pack import check_pack
from mochi_mm.datasets.packs.pack_image import gray_levels, pack_image
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_reader import PackReader
from mochi_mm.datasets.packs.pack_record import PackRecord, Shard
from mochi_mm.datasets.packs.pack_writer import PackWriter
from mochi_mm.datasets.packs.told import told
from mochi_mm.datasets.read_image import read_image
from mochi_mm.files.encoded_image import EncodedImage
from mochi_mm.files.json_text import MAX_RECORD
from tests.datasets.packs.toy import content, packed, picture_folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp('pictures'))


@pytest.fixture(scope='module')
def pack(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(folder, tmp_path_factory.mktemp('packs') / 'jpeg')


def test_every_file_has_its_place(folder: Path, pack: Path) -> None:
    source, reader = ImageFolder(folder), PackReader(pack)
    record = reader.record
    assert len(reader) == len(source) == 8
    assert [shard.images for shard in record.shards] == [3, 3, 2]
    assert reader.names() == [reader.name(row) for row in range(8)]
    assert reader.names() == [source.name(row) for row in range(8)]
    np.testing.assert_array_equal(reader.labels, source.labels)
    for row in range(8):
        data = Path(source.path(row)).read_bytes()
        assert reader.digests[row].tobytes() == hashlib.sha256(data).digest()
        if source.name(row) == 'b/torn.jpg':
            assert reader.data(row) == data and reader.sizes[row].tolist() == [0, 0]
            continue
        image = read_image(EncodedImage(reader.data(row), 'x'))
        original = source.image(row)
        assert image.size == tuple(reader.sizes[row]) == (round(original.width * 48 / 61), 48)
        assert gray_levels(original, image) < 12
    # The first image is compared, for one in sixteen is.
    first = gray_levels(source.image(0), read_image(EncodedImage(reader.data(0), 'x')))
    assert record.gray_levels == dict(mean=first, largest=first, images=1)


def test_bad_files_are_listed(folder: Path, pack: Path) -> None:
    assert (pack / 'exclude.txt').read_text() == 'b/torn.jpg\n'
    rows = list(csv.reader((pack / 'bad.csv').read_text().splitlines()))
    assert [row[0] for row in rows] == ['path', 'b/torn.jpg'] and 'truncated' in rows[1][1]
    assert PackReader(pack).record.bad == 1
    absent = pack_image(str(folder / 'absent.jpg'), PackOptions.of('raw'))
    assert absent.data == b'' and 'absent.jpg' in absent.reason and absent.size == (0, 0)


@pytest.mark.parametrize('kind', ['raw', 'as they are'])
def test_other_kinds(folder: Path, tmp_path: Path, kind: str) -> None:
    source, reader = ImageFolder(folder), PackReader(packed(folder, tmp_path / 'pack', kind))
    for row in range(8):
        width, height = reader.sizes[row].tolist()
        data = Path(source.path(row)).read_bytes()
        if kind == 'raw' and width:
            assert len(reader.data(row)) == 3 * width * height and height == 48
        else:
            assert reader.data(row) == data
            assert (width, height) == (
                (0, 0) if 'torn' in source.name(row) else source.image(row).size
            )


def test_gray_levels_by_hand(folder: Path) -> None:
    image = ImageFolder(folder).image(0)
    shifted = image.point(lambda value: min(value, 250) + 5)
    loop = np.abs(np.asarray(image, float) - np.asarray(shifted, float)).mean()
    assert gray_levels(image, shifted) == pytest.approx(loop, abs=1e-9)
    assert gray_levels(image, image) == 0


def test_the_bytes_do_not_depend_on_the_processes(folder: Path, pack: Path, tmp_path: Path) -> None:
    assert content(packed(folder, tmp_path / 'two', workers=2)) == content(pack)
    check_pack(pack, tell=lambda line: None)


def stop_at(monkeypatch: Any, moment: int, error: BaseException) -> None:
    """Fail at the so-many-th file that is written, in the middle of it."""
    real, calls = pack_writer.write_atomically, []

    def write(path: Path, fill: Any) -> Any:
        calls.append(path)
        if len(calls) != moment:
            return real(path, fill)

        def half(file: Any) -> None:
            file.write(b'begun')
            raise error

        return real(path, half)

    monkeypatch.setattr(pack_writer, 'write_atomically', write)
    monkeypatch.setattr('mochi_mm.datasets.packs.write_index.write_atomically', write)


@pytest.mark.parametrize('moment', [1, 4, 9, 15])
def test_a_full_disk_leaves_nothing_under_the_name(
    folder: Path, pack: Path, tmp_path: Path, monkeypatch: Any, moment: int
) -> None:
    """In a shard, in a note, in an array, in the record."""
    out = tmp_path / 'pack'
    with monkeypatch.context() as patch:
        stop_at(patch, moment, OSError(28, 'No space left on device'))
        with pytest.raises(OSError, match=r'No space left.*make room.*goes on'):
            packed(folder, out)
    assert not out.exists() and not list(tmp_path.rglob('*.partial'))
    assert content(packed(folder, out)) == content(pack)
    assert [path.name for path in tmp_path.iterdir()] == ['pack']


def pack_until(folder: Path, out: Path, moment: int) -> None:
    """Pack with two processes, and kill this one within the so-many-th file that is written."""
    os.setsid()
    real, calls = pack_writer.write_atomically, []

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def write(path: Path, fill: Any) -> Any:
        calls.append(path)

        def whole(file: Any) -> None:
            fill(file)
            if len(calls) == moment:
                file.flush()
                kill()

        return real(path, whole)

    pack_writer.write_atomically = write_index.write_atomically = write  # in this process alone
    if not moment:
        pack_writer.PackFolder.clear = lambda self: kill()
    packed(folder, out, workers=2)


@pytest.mark.parametrize('moment', [3, 14, 0])
def test_a_kill_leaves_all_or_nothing(
    folder: Path, pack: Path, tmp_path: Path, moment: int
) -> None:
    """In the second shard, in the record, and between the name and the end; processes end too."""
    out = tmp_path / 'pack'
    context = multiprocessing.get_context('fork')
    job = context.Process(target=pack_until, args=(folder, out, moment))
    job.start()
    job.join(120)
    assert job.exitcode == -signal.SIGKILL
    assert out.exists() == (moment == 0)
    if moment:
        with pytest.raises(FileNotFoundError, match='no pack in'):
            PackReader(out)
    assert content(packed(folder, out)) == content(pack)
    assert [path.name for path in tmp_path.iterdir()] == ['pack']
    assert group_ends(job.pid or 0)


def group_ends(group: int, seconds: float = 20) -> bool:
    """Whether no process of a group is left soon."""
    for _ in range(int(seconds * 10)):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_two_packers_at_once_and_other_plans(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / 'pack'
    options = PackOptions.of('jpeg', short_side=48)
    writer = PackWriter(ImageFolder(folder), out, options, 3)
    with writer.folder.opened(), pytest.raises(ValueError, match='where another process packs'):
        packed(folder, out)
    with pytest.raises(ValueError, match=r'beginning of another pack \(shard_images: 3, now 4\)'):
        packed(folder, out, shard_images=4)
    other = shutil.copytree(folder, tmp_path / 'other')
    (other / 'a/0.jpg').write_bytes((folder / 'a/3.jpg').read_bytes())
    with pytest.raises(ValueError, match='source has changed since'):
        packed(other, out)
    packed(folder, out)
    with pytest.raises(ValueError, match='holds a pack already; expected a new folder'):
        packed(folder, out)


def test_it_never_writes_over_something_else(folder: Path, tmp_path: Path) -> None:
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/thesis.txt').touch()
    (tmp_path / 'file').touch()
    for name in ('full', 'file'):
        with pytest.raises(ValueError, match='exists already; expected a new folder'):
            packed(folder, tmp_path / name)
    (tmp_path / 'new.unfinished').mkdir()
    (tmp_path / 'new.unfinished/thesis.txt').touch()
    with pytest.raises(ValueError, match=r"in the way: it holds 'thesis\.txt'"):
        packed(folder, tmp_path / 'new')
    with pytest.raises(ValueError, match='which is packed; expected OUT outside'):
        packed(folder, folder / 'pack')
    (tmp_path / 'empty').mkdir()
    assert PackRecord.read(packed(folder, tmp_path / 'empty')).images == 8


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        (dict(quality=0), 'quality is 0'),
        (dict(quality=101), 'quality is 101; expected 1 to 100'),
        (dict(short_side=3), r'short_side is 3; expected 16 to 16384'),
        (dict(short_side=-1), 'short_side is -1'),
        (dict(chroma='4:1:1'), "chroma is '4:1:1'"),
        (dict(kind='raw', quality=90), 'quality is 90, which images of the kind'),
        (dict(kind='as they are', short_side=320), 'they have no options'),
        (dict(kind='png'), "kind is 'png'"),
    ],
)
def test_options_out_of_range(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PackOptions.of(**(dict(kind='jpeg') | settings))


def test_more_shards_than_a_record_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_writer, 'MOST_SHARDS', 3)
    with pytest.raises(ValueError, match='8 images into 4 shards; expected at most 3: set it to 3'):
        packed(folder, tmp_path / 'pack', shard_images=2)
    assert not list(tmp_path.iterdir())


def test_the_largest_record_is_read() -> None:
    """With the longest names and numbers of shards, and as many classes as ImageNet-21k."""
    stored = dict(
        bytes=2**40, sha256='0' * 64, file='images-00000.bin', images=2**20, head='0' * 64
    )
    record = PackRecord(
        PackOptions.of('jpeg'),
        tuple(f'n{number:08}' for number in range(21_841)),
        2**36,
        0,
        '0' * 64,
        {},
        (Shard(**stored),) * pack_writer.MOST_SHARDS,
        {},
    )
    assert len(record.to_json()) < MAX_RECORD


def test_lines_say_the_time_left() -> None:
    seconds = iter([0.0, 4.0, 11.0, 12.0, 22.0])
    lines: list[str] = []
    assert list(told(range(4), 4, 'images', lines.append, lambda: next(seconds))) == [0, 1, 2, 3]
    assert lines == [
        '2 of 4 images, 0 a second, 0:00:11 left',
        '4 of 4 images, 0 a second, 0:00:00 left',
    ]
