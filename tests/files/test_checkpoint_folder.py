"""Checkpoints and their manifests, where a kill falls between two writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.files import checkpoint_folder
from mochi_mm.files.checkpoint_folder import (
    epochs_saved,
    manifest_path,
    newest_valid,
    saved_in,
    write_checkpoint,
)


class Killed(BaseException):
    """Stands for the end of the process."""


def content(epoch: int, value: float = 0.0) -> dict[str, Any]:
    return dict(meta=dict(epoch=epoch, iter=10 * epoch), state_dict=dict(a=torch.full((9,), value)))


def killed_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*arguments: Any) -> None:
        raise Killed

    monkeypatch.setattr(checkpoint_folder, name, kill)


def test_a_manifest_never_describes_a_later_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run anew in its folder; the kill falls behind the file and before its manifest."""
    path = tmp_path / 'epoch_1.pth'
    write_checkpoint(path, content(1))
    assert newest_valid(tmp_path) == (path, [])
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at('_write_text', patch)
        write_checkpoint(path, content(1, 3.0))
    assert not manifest_path(path).exists()
    assert newest_valid(tmp_path) == (path, [])  # judged by itself: whole
    assert float(torch.load(path)['state_dict']['a'][0]) == 3.0
    (entry,) = saved_in(tmp_path)
    assert entry.manifest is None and entry.exact and entry.time == path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match='none is whole'):
        newest_valid(tmp_path)


def test_a_kill_before_the_file_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'epoch_1.pth'
    write_checkpoint(path, content(1))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at('write_atomically', patch)
        write_checkpoint(path, content(1, 3.0))
    assert newest_valid(tmp_path) == (path, [])
    assert float(torch.load(path)['state_dict']['a'][0]) == 0.0


@pytest.mark.parametrize('name', ['bytes', 'sha256', 'epoch', 'iter', 'saved'])
@pytest.mark.parametrize('value', [None, 1.5, 'absent'])
def test_a_manifest_that_is_none_is_passed_over(tmp_path: Path, name: str, value: Any) -> None:
    """Whichever of its entries is of another kind, or gone: the file is judged by itself."""
    path = tmp_path / 'epoch_1.pth'
    write_checkpoint(path, content(1))
    manifest = json.loads(manifest_path(path).read_text())
    del manifest[name]
    manifest_path(path).write_text(
        json.dumps(manifest if value == 'absent' else {**manifest, name: value})
    )
    (entry,) = saved_in(tmp_path)
    assert entry.manifest is None and newest_valid(tmp_path) == (path, [])


def test_where_nothing_was_saved_by_epoch(tmp_path: Path) -> None:
    assert epochs_saved(tmp_path) == epochs_saved(tmp_path / 'none') == 0
    (tmp_path / 'last_checkpoint').write_text('iter_7.pth')
    assert epochs_saved(tmp_path) == 0


def test_another_content_under_a_manifest_is_refused(tmp_path: Path) -> None:
    """Of another size, and of the same."""
    first, second = tmp_path / 'epoch_1.pth', tmp_path / 'epoch_2.pth'
    write_checkpoint(first, content(1))
    write_checkpoint(second, content(2))
    assert epochs_saved(tmp_path) == 2
    whole = second.read_bytes()
    for damaged, message in ((whole + b'x', 'bytes, '), (whole[:-9] + 9 * b'x', 'SHA-256 differs')):
        second.write_bytes(damaged)
        path, refused = newest_valid(tmp_path)
        assert path == first and len(refused) == 1 and message in refused[0]
