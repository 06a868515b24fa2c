"""Two runs: in one work dir the second is refused; in one process they share nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mmengine.runner.runner as engine
import pytest
from mmengine.hooks import Hook

from mochi_mm.engine.validation_left import VALIDATED_AT
from mochi_mm.files.run_lock import FILE
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import HOOKS
from tests.engine.test_start_folder import stop_the_clock
from tests.engine.test_validation_left import config_of as validated_config
from tests.ranks import run_ranks
from tests.toy_runner import runner_config, train


@HOOKS.register_module(force=True)
class ActHook(Hook):
    """Calls ``ActHook.act`` in the third iteration."""

    act: Any = None

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == 2:
            type(self).act(runner)


def acting(folder: Path, act: Any) -> Any:
    ActHook.act = staticmethod(act)
    config = runner_config(folder, max_epochs=1)
    config.custom_hooks = [dict(type='ActHook')]
    return config


def test_the_second_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    def second(runner: Any) -> None:
        with pytest.raises(ValueError, match='is the work dir of a run that is training'):
            train(runner_config(tmp_path, max_epochs=1))

    train(acting(tmp_path, second))
    assert (tmp_path / 'epoch_1.pth').is_file() and not (tmp_path / FILE).exists()
    train(runner_config(tmp_path, max_epochs=1))  # it has ended


def test_an_error_lets_the_work_dir_go(tmp_path: Path) -> None:
    def fail(runner: Any) -> None:
        assert (tmp_path / FILE).is_file()
        raise KeyError('in the step')

    with pytest.raises(KeyError, match='in the step'):
        train(acting(tmp_path, fail))
    train(runner_config(tmp_path, max_epochs=1))


def test_a_run_that_was_taken_for_dead_saves_nothing_more(tmp_path: Path) -> None:
    def take(runner: Any) -> None:
        (tmp_path / FILE).unlink()
        (tmp_path / FILE).touch()

    with pytest.raises(RuntimeError, match='another run has taken'):
        train(acting(tmp_path, take))
    assert not list(tmp_path.glob('*.pth'))


def _refused(rank: int, folder: Path) -> str:
    config = runner_config(folder, max_epochs=1)
    with pytest.raises(ValueError) as error:
        build_runner(config, 'pytorch').train()
    return str(error.value)


def test_all_ranks_are_refused(tmp_path: Path) -> None:
    """And none of them waits for the others."""
    told: list[str] = []
    train(acting(tmp_path, lambda runner: told.extend(run_ranks(_refused, 2, tmp_path))))
    assert len(told) == 2 and all('a run that is training' in text for text in told)


def test_two_runs_of_one_second_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same config, other work dirs, no name given: each has its own curves and log."""
    monkeypatch.setattr(engine, 'time', stop_the_clock())
    runners = []
    for name in ('a', 'b'):
        config = runner_config(tmp_path / name, max_epochs=1)
        config.experiment_name = None
        runners.append(build_runner(config))
    for runner in runners:
        runner.train()
    first, second = runners
    assert first.experiment_name != second.experiment_name
    for part in ('visualizer', 'message_hub', 'logger'):
        assert getattr(first, part) is not getattr(second, part), part
    for name in ('a', 'b'):
        (scalars,) = (tmp_path / name).glob('*/vis_data/scalars.json')
        assert len(scalars.read_text().splitlines()) == 4
        (log,) = (tmp_path / name).glob('*/*.log')
        assert f'checkpoint {tmp_path / name}' in log.read_text()


def test_a_validation_shows_results_alone(tmp_path: Path) -> None:
    """The engine prints every key of the message hub that begins with val."""
    runner = train(validated_config(tmp_path, 'epochs'))
    assert runner.message_hub.get_info(VALIDATED_AT) == 8
    (log,) = tmp_path.glob('*/*.log')
    lines = [
        line for line in log.read_text().splitlines() if 'Epoch(val)' in line and ' m: ' in line
    ]
    assert len(lines) == 2 and 'validat' not in ''.join(lines)
    (scalars,) = tmp_path.glob('*/vis_data/scalars.json')
    written = [json.loads(line) for line in scalars.read_text().splitlines()]
    assert not any('validat' in key for line in written for key in line)


def test_a_checkpoint_of_an_earlier_version_says_it_under_its_old_name(tmp_path: Path) -> None:
    from mochi_mm.engine.run_state import restore_hub

    runner = train(runner_config(tmp_path, max_epochs=1))
    saved = dict(
        log_scalars={}, runtime_info={'validated_at': 4}, resumed_keys={'validated_at': True}
    )
    restore_hub(runner.message_hub, saved)
    assert runner.message_hub.get_info(VALIDATED_AT) == 4
    assert 'validated_at' not in runner.message_hub.runtime_info
