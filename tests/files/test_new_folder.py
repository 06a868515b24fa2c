"""A folder appears whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.files.new_folder import new_folder


def test_it_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / 'some/where'
    with new_folder(target) as folder:
        (folder / 'a').write_text('new')
        assert not target.exists() and folder.parent == target.parent
    assert (target / 'a').read_text() == 'new' and list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o755


def test_what_fails_leaves_nothing_new(tmp_path: Path) -> None:
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/old').touch()
    with pytest.raises(KeyError), new_folder(tmp_path / 'out', overwrite=True) as folder:
        (folder / 'half').touch()
        raise KeyError
    assert [path.name for path in tmp_path.rglob('*')] == ['out', 'old']
    with new_folder(tmp_path / 'out', overwrite=True):
        pass
    assert not any((tmp_path / 'out').iterdir())


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match='not empty; expected a new folder'), new_folder(tmp_path):
        pass
    with pytest.raises(ValueError, match='is a file'), new_folder(tmp_path / 'file', True):
        pass
