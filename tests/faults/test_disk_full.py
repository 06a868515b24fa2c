"""A disk that is full at the moment of a save.

python -m pytest tests/faults/test_disk_full.py             a limit on the size of files
python -m pytest tests/faults/test_disk_full.py --long      a real file system of 24 MiB (as root)
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.files.checkpoint_folder import newest_valid, saved_in, write_checkpoint
from mochi_mm.launch.runner import build_runner
from mochi_mm.visualization import safe_local_vis_backend as backend_module
from tests.faults.job import start
from tests.toy_runner import runner_config, train

SETTINGS = {
    'max_epochs': 5,
    'default_hooks.checkpoint.max_keep_ckpts': 1,
    'default_hooks.checkpoint.retry_iters': 2,
}


def test_training_goes_on_and_tries_again(tmp_path: Path, monkeypatch: Any) -> None:
    """The second and third attempt fail; the next one comes two iterations later."""
    attempts: list[str] = []

    def write(path: Path, content: Any) -> str:
        attempts.append(path.name)
        if len(attempts) in (2, 3):
            raise OSError(28, 'No space left on device')
        return write_checkpoint(path, content)

    monkeypatch.setattr('mochi_mm.engine.hooks.checkpoint_hook.write_checkpoint', write)
    config = runner_config(tmp_path, max_epochs=3)
    config.default_hooks.checkpoint.update(max_keep_ckpts=1, retry_iters=2)
    train(config)
    assert attempts == ['epoch_1.pth', 'epoch_2.pth', 'iter_10.pth', 'iter_12.pth', 'epoch_3.pth']
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('could not be saved: [Errno 28] No space left on device') == 2
    assert newest_valid(tmp_path)[0] == tmp_path / 'epoch_3.pth'


def test_a_failed_last_save_is_an_error(tmp_path: Path, monkeypatch: Any) -> None:
    def write(path: Path, content: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('mochi_mm.engine.hooks.checkpoint_hook.write_checkpoint', write)
    with pytest.raises(OSError, match='No space left'):
        train(runner_config(tmp_path, max_epochs=1))


def fill_at(monkeypatch: Any, full: Any) -> None:
    """Refuse to append to files of scalars while ``full()`` holds, after half of the bytes."""

    def append(path: Path, content: bytes) -> None:
        if not full():
            return real(path, content)
        with open(path, 'ab', buffering=0) as file:
            size = file.tell()
            file.write(content[: len(content) // 2])
            file.truncate(size)
        raise OSError(28, 'No space left on device')

    real = backend_module._append
    monkeypatch.setattr(backend_module, '_append', append)


def test_scalars_wait_in_memory_until_there_is_space(tmp_path: Path, monkeypatch: Any) -> None:
    config = runner_config(tmp_path, max_epochs=3)
    runner = build_runner(config)
    fill_at(monkeypatch, lambda: 3 <= runner.iter < 9)
    runner.train()
    for name in ('scalars', runner.timestamp):
        lines = next(tmp_path.glob(f'*/vis_data/{name}.json')).read_text().splitlines()
        assert [json.loads(line)['iter'] for line in lines] == list(range(1, 13)), name
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('kept in memory until there is space') == 2  # one for each of the two files


def test_scalars_that_never_found_space_are_counted(tmp_path: Path, monkeypatch: Any) -> None:
    runner = build_runner(runner_config(tmp_path, max_epochs=1))
    fill_at(monkeypatch, lambda: runner.iter >= 2)
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert '4 lines of scalars could not be written and are lost' in log


def test_no_stub_is_left(tmp_path: Path) -> None:
    """Files can have 100 kB, the checkpoint has more: the kernel refuses in the middle."""
    folder = tmp_path / 'run'
    job = start(folder, max_file=100_000, **SETTINGS)
    job.join()
    output = (folder / 'output').read_text()
    assert job.exitcode == 1 and 'File too large' in output.splitlines()[-1], output[-2000:]
    assert not list(folder.glob('*.pth')) and not list(folder.glob('.*partial'))
    assert 'training goes on' in next(folder.glob('*/*.log')).read_text()


def test_a_full_file_system(tmp_path: Path, long: bool) -> None:
    """Room for one checkpoint of 12 MB, none for two: the first stays, training reaches its end."""
    if not long:
        pytest.skip('mounts a file system; pass --long')
    folder = tmp_path / 'small'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('mounting is not permitted here')
    try:
        job = start(folder / 'run', ballast=12 << 20, **SETTINGS)
        job.join()
        output = (folder / 'run/output').read_text()
        assert job.exitcode == 1 and 'No space left' in output, output[-2000:]
        path, refused = newest_valid(folder / 'run')
        assert path == folder / 'run/epoch_1.pth' and refused == []
        assert len(saved_in(folder / 'run')) == 1
        log = next((folder / 'run').glob('*/*.log')).read_text()
        assert log.count('could not be saved: [Errno 28]') >= 4
    finally:
        subprocess.run(['umount', str(folder)], check=True)


def test_settings_out_of_range() -> None:
    for bad in (dict(interval=0), dict(max_keep_ckpts=0), dict(rule='best'), dict(retry_iters=0)):
        with pytest.raises(ValueError, match='CheckpointHook got'):
            CheckpointHook(**bad)
