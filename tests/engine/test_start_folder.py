"""Each start of a run has a folder of its own for its logs, also two of the same second."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mmengine.runner.runner as engine
import pytest

from mochi_mm.engine.runners import claim_folder as module
from mochi_mm.engine.runners.claim_folder import claim_folder
from mochi_mm.launch.runner import build_runner
from tests.ranks import run_ranks
from tests.toy_runner import runner_config, train

SECOND = time.strftime('%Y%m%d_%H%M%S', time.localtime(10**9))


@pytest.fixture(autouse=True)
def first_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests of this process started does not count."""
    monkeypatch.setattr(module, '_named', set())


def stop_the_clock() -> Any:
    """A time module, for the engine alone, in which no second passes."""
    return SimpleNamespace(
        time=lambda: 1e9, strftime=time.strftime, localtime=time.localtime, sleep=time.sleep
    )


def starts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_starts_of_one_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, 'time', stop_the_clock())
    for number in range(3):
        runner = train(runner_config(tmp_path, max_epochs=1))
        name = SECOND + (f'_{number}' if number else '')
        assert runner.timestamp == name and starts(tmp_path)[-1] == name
        assert (tmp_path / name / f'{name}.log').is_file()
        scalars = (tmp_path / name / 'vis_data/scalars.json').read_text().splitlines()
        assert len(scalars) == 4
    assert len(starts(tmp_path)) == 3


def started(rank: int, folder: Path) -> str:
    engine.time, module._named = stop_the_clock(), set()
    return build_runner(runner_config(folder, max_epochs=1), 'pytorch').timestamp


def test_ranks_share_one(tmp_path: Path) -> None:
    (tmp_path / SECOND).mkdir()
    assert run_ranks(started, 2, tmp_path) == [f'{SECOND}_1'] * 2
    assert starts(tmp_path) == [SECOND, f'{SECOND}_1']


def test_where_no_folder_can_be_made_the_name_stays(tmp_path: Path) -> None:
    assert claim_folder(tmp_path / 'absent', 'name') == 'name'
