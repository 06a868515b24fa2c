"""Which files of a work dir a restarted job may call its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mochi_mm.runs.start_record import is_restart, note_start, written_since


@pytest.fixture(autouse=True)
def launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('MOCHI_MM_JOB', 'SLURM_JOB_ID', 'SLURM_RESTART_COUNT', 'SLURM_PROCID', 'RANK'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'one')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '0')


def replace(path: Path) -> None:
    path.with_suffix('.new').write_text('x')
    os.replace(path.with_suffix('.new'), path)


def test_only_what_the_job_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / 'run'
    note_start(folder)
    for name in ('epoch_1.pth', 'epoch_2.pth'):
        replace(folder / name)
    assert written_since(folder) == {folder / 'epoch_1.pth', folder / 'epoch_2.pth'}
    note_start(folder)  # another first start: they are of an earlier run now
    assert written_since(folder) == set()
    replace(folder / 'epoch_1.pth')
    (folder / 'epoch_9.pth').symlink_to('/nowhere')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    note_start(folder)  # a restart keeps the record
    assert is_restart()
    assert written_since(folder) == {folder / 'epoch_1.pth', folder / 'epoch_9.pth'}
    monkeypatch.setenv('SLURM_JOB_ID', '7')  # of another job, as far as anyone knows
    assert written_since(folder) == set()
    note_start(folder)
    replace(folder / 'epoch_3.pth')
    assert written_since(folder) == {folder / 'epoch_3.pth'}


def test_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('RANK', '1')
    note_start(tmp_path / 'rank_1')
    monkeypatch.delenv('RANK')
    monkeypatch.delenv('TORCHELASTIC_RUN_ID')
    note_start(tmp_path / 'by_hand')
    assert not list(tmp_path.iterdir()) and written_since(tmp_path) == set()
