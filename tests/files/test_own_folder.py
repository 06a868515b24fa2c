"""A tool empties what it filled itself, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.files.own_folder import make_empty, refuse_foreign_folder

MARKER = 'tool.marker'


def contents(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*'))


@pytest.mark.parametrize('state', ['new', 'empty', 'own', 'link'])
def test_own_folders_are_emptied(tmp_path: Path, state: str) -> None:
    folder = tmp_path / 'out'
    if state != 'new':
        folder.mkdir()
    if state in ('own', 'link'):
        make_empty(folder, MARKER)
        (folder / 'data').mkdir()
        (folder / 'data/result').touch()
    if state == 'link':
        folder = tmp_path / 'link'
        folder.symlink_to(tmp_path / 'out')
    refuse_foreign_folder(folder, MARKER, [tmp_path, tmp_path / 'outside'])
    make_empty(folder, MARKER)
    assert contents(folder) == [MARKER]
    assert folder.is_symlink() is (state == 'link')


def test_others_are_left_alone(tmp_path: Path) -> None:
    """Not even one with folders of the usual names."""
    (tmp_path / 'out/data').mkdir(parents=True)
    (tmp_path / 'file').touch()
    for name in ('out', 'file'):
        with pytest.raises(ValueError, match=r'holds other files \(there is no tool\.marker'):
            refuse_foreign_folder(tmp_path / name, MARKER, [])
    assert contents(tmp_path) == ['file', 'out', 'out/data']


@pytest.mark.parametrize('needed', ['out', 'out/runs/epoch_1.pth', 'elsewhere/../out/a'])
def test_what_is_needed_is_not_emptied(tmp_path: Path, needed: str) -> None:
    make_empty(tmp_path / 'out', MARKER)
    (tmp_path / 'elsewhere').mkdir()
    with pytest.raises(ValueError, match='would be emptied but holds'):
        refuse_foreign_folder(tmp_path / 'out', MARKER, [tmp_path, tmp_path / needed])


def test_the_working_folder_by_its_relative_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_empty(tmp_path / 'here', MARKER)
    monkeypatch.chdir(tmp_path / 'here')
    for name in ('.', '..', '../here'):
        with pytest.raises(ValueError, match='would be emptied but holds'):
            refuse_foreign_folder(Path(name), MARKER, [Path.cwd()])
