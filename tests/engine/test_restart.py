"""What ``--resume``, ``load_from`` and a launcher's restart go on from."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook

from mochi_mm.registry import HOOKS
from tests.toy_runner import REPOSITORY, runner_config, train

set_resume = runpy.run_path(str(REPOSITORY / 'tools/train.py'))['set_resume']


@HOOKS.register_module(force=True)
class NoteStartHook(Hook):
    """Keeps the iteration that training begins at; can end the run there."""

    started: list[int] = []

    def __init__(self, die_at: int = -1) -> None:
        self.die_at = die_at

    def before_train(self, runner: Any) -> None:
        self.started.append(runner.iter)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.die_at:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('MOCHI_MM_JOB', 'SLURM_JOB_ID', 'SLURM_RESTART_COUNT', 'SLURM_PROCID', 'RANK'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'job')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '0')


@pytest.fixture(scope='module')
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of a run of 3 epochs of 4 iterations."""
    folder = tmp_path_factory.mktemp('finished') / 'run'
    train(runner_config(folder, max_epochs=3))
    return folder


@pytest.fixture
def old(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / 'old'))


def go(
    folder: Path, resume: str | None = None, load_from: Path | None = None, die_at: int = -1
) -> int:
    """Start as tools/train.py does; return the iteration that training began at."""
    config = runner_config(folder, max_epochs=3)
    config.load_from = None if load_from is None else str(load_from)
    config.custom_hooks = [dict(type='NoteStartHook', die_at=die_at)]
    config.experiment_name = f'{folder}_{len(NoteStartHook.started)}'
    set_resume(config, resume, [])
    try:
        train(config)
    except KeyboardInterrupt:
        assert die_at >= 0
    return NoteStartHook.started[-1]


def test_the_work_dir_goes_before_load_from(tmp_path: Path, finished: Path) -> None:
    """And load_from gives weights, not a position, where there is nothing to resume."""
    start = finished / 'epoch_1.pth'
    assert go(tmp_path / 'new', 'auto', start, die_at=6) == 0
    assert go(tmp_path / 'new', 'auto', start) == 4
    logs = [path.read_text() for path in sorted((tmp_path / 'new').glob('*/*.log'))]
    assert f'training starts from the weights of {start}' in logs[0]
    assert f'load_from={start} is not read, the run goes on from' in ''.join(logs)


def test_a_named_checkpoint_is_taken(old: Path) -> None:
    assert go(old, str(old / 'epoch_1.pth')) == 4


@pytest.mark.parametrize(('resume', 'begin'), [(None, 0), ('epoch_1.pth', 4)])
def test_a_restart_takes_only_what_its_job_wrote(
    old: Path, resume: str | None, begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder holds three epochs of an earlier run."""
    resume = resume and str(old / resume)
    assert go(old, resume, die_at=begin + 2) == begin
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert go(old, resume, die_at=begin + 5) == begin  # nothing was saved before
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '2')
    if resume:
        Path(resume).unlink()  # as max_keep_ckpts does
    assert go(old, resume) == begin + 4


def test_a_restart_without_a_record_begins_as_the_first_start(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert go(old, die_at=1) == 0
