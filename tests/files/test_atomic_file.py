"""A file is there whole or as it was before."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.files import atomic_file
from mochi_mm.files.atomic_file import OWNER, sha256_of, sweep, write_atomically


def test_size_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    size, digest = write_atomically(tmp_path / 'a', lambda file: file.write(data))
    assert (tmp_path / 'a').read_bytes() == data
    assert size == len(data) and digest == hashlib.sha256(data).hexdigest()
    assert digest == sha256_of(tmp_path / 'a')


@pytest.mark.parametrize('error', [OSError(28, 'full'), KeyboardInterrupt(), ValueError('x')])
def test_a_failure_leaves_what_was(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / 'a').write_bytes(b'before')

    def fail(file: Any) -> None:
        file.write(b'half')
        raise error

    with pytest.raises(type(error)):
        write_atomically(tmp_path / 'a', fail)
    assert [p.name for p in tmp_path.iterdir()] == ['a']
    assert (tmp_path / 'a').read_bytes() == b'before'


def test_what_reads_back_otherwise_is_not_taken(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / 'a').write_bytes(b'before')
    monkeypatch.setattr(atomic_file, 'sha256_of', lambda path: 'something else')
    with pytest.raises(OSError, match='reads back from the disk other than it was written'):
        write_atomically(tmp_path / 'a', lambda file: file.write(b'after'))
    assert (tmp_path / 'a').read_bytes() == b'before'


def test_sweep_takes_temporary_files_only(tmp_path: Path) -> None:
    for name in ('.a.pth.1.partial', 'a.partial', '.hidden', 'a.pth'):
        (tmp_path / name).write_bytes(b'')
    assert sweep(tmp_path) == [tmp_path / '.a.pth.1.partial']
    assert {p.name for p in tmp_path.iterdir()} == {'a.partial', '.hidden', 'a.pth'}


def owned(folder: Path, text: str | None) -> Path:
    folder.mkdir()
    (folder / 'weights.pth').write_text('half')
    if text is not None:
        (folder / OWNER).write_text(text)
    return folder


def test_folders_of_killed_exports_go_too(tmp_path: Path) -> None:
    """And do not keep what stands behind them from going; one of a living process stays."""
    here = socket.gethostname()
    child = subprocess.Popen(['true'])
    child.wait()
    dead = [
        owned(tmp_path / '.a.pth.x.partial', f'{here}\n{child.pid}\n'),
        owned(tmp_path / '.b.pth.x.partial', None),
        owned(tmp_path / '.c.pth.x.partial', 'what'),
        owned(tmp_path / '.d.pth.x.partial', 'elsewhere\n1\n'),
    ]
    os.utime(dead[-1], (1, 1))
    alive = [
        owned(tmp_path / '.e.pth.x.partial', f'{here}\n{os.getpid()}\n'),
        owned(tmp_path / '.f.pth.x.partial', 'elsewhere\n1\n'),
    ]
    (tmp_path / 'kept').mkdir()
    (tmp_path / '.g.x.partial').symlink_to(tmp_path / 'kept')
    (tmp_path / '.h.pth.x.partial').write_text('half')
    assert len(sweep(tmp_path)) == len(dead) + 2
    assert set(tmp_path.iterdir()) == {*alive, tmp_path / 'kept'}
