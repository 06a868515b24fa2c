"""Logs of runs that were stopped and resumed: one continuous curve, the latest wins."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import tzset
from typing import Any

import numpy as np
import pytest

from mochi_mm.evaluation.analysis import write_analysis
from mochi_mm.runs.run import read_run
from mochi_mm.runs.run_log import read_log, starts_of
from mochi_mm.runs.start_facts import write_start as write_facts
from tests.toy_runner import runner_config, train
from tests.visualization.report.toy import step, write_start


def test_a_resumed_run_is_one_curve(tmp_path: Path) -> None:
    """Logged to 10, resumed from 8 and killed at 9, resumed from 8 to the end."""
    first = [step(n, 100 + n) for n in range(1, 11)]
    first.insert(8, dict({'knn/top1': 30.0}, epoch=2, step=8))
    first.append(dict({'knn/top1': 99.0}, epoch=2, step=10))  # of an iteration that is repeated
    write_start(tmp_path, '20260101_000000', first)
    write_start(tmp_path, '20260102_000000', [step(9, 200), '{"loss": 1'])
    write_start(tmp_path, '20260103_000000', [step(n, 300 + n) for n in (9, 10, 11, 12)])
    write_start(tmp_path, '20260104_000000', [])  # was stopped before it logged anything
    log = read_log(tmp_path)
    assert [line['step'] for line in log.lines] == list(range(1, 13))
    x, y = log.curve('loss', by_epoch=False)
    assert x == list(range(1, 13))
    assert y == [*range(101, 109), 309, 310, 311, 312]
    assert log.curve('knn/top1', by_epoch=True) == ([2.0], [30.0])
    assert log.last('loss') == 312 and log.last('absent') is None


def test_other_intervals_after_a_resume(tmp_path: Path) -> None:
    """What lay behind the point of resuming goes, also where no line of the same number comes."""
    write_start(tmp_path, '20260101_000000', [step(n, n) for n in (2, 4, 6, 8, 10)])
    write_start(tmp_path, '20260102_000000', [step(n, 50 + n) for n in (7, 12)])
    assert read_log(tmp_path).curve('loss', False) == ([2, 4, 6, 7, 12], [2, 4, 6, 57, 62])


def write_asked(folder: Path, time: str, lines: list, resume: str) -> None:
    write_start(folder, time, lines)
    config = folder / time / 'vis_data/config.py'
    config.write_text(config.read_text() + f'resume = {resume}\n')


def test_a_run_that_did_not_resume_is_another(tmp_path: Path) -> None:
    """The second run stops before its first validation: the first one's is not its own."""
    first = [step(1, 1.0), step(2, 2.0), dict({'knn/top1': 30.0}, epoch=1, step=2)]
    write_asked(tmp_path, '20260101_000000', first, 'False')
    write_asked(tmp_path, '20260102_000000', [step(3, 3.0)], 'True')
    write_asked(tmp_path, '20260103_000000', [step(2, 12.0)], 'False')
    write_asked(tmp_path, '20260104_000000', [step(3, 13.0)], "'auto'")
    write_asked(tmp_path, '20260105_000000', [], 'False')  # ended before it logged anything
    log = read_log(tmp_path)
    assert log.curve('loss', False) == ([2, 3], [12, 13]) and log.last('knn/top1') is None
    now, earlier, later = starts_of(tmp_path)
    assert later == []
    assert [start.name[6:8] for start in now] == ['03', '04', '05']
    assert [start.name[6:8] for start in earlier] == ['01', '02']


def test_a_finished_run_is_kept(tmp_path: Path) -> None:
    """The one behind it began anew in its folder and did not come to its end."""
    write_asked(tmp_path, '20260101_000000', [step(1, 1.0), step(2, 2.0)], 'False')
    write_asked(tmp_path, '20260102_000000', [step(3, 3.0)], 'True')
    write_asked(tmp_path, '20260103_000000', [step(1, 11.0)], 'False')
    for time in ('20260101_000000', '20260103_000000'):
        write_facts(tmp_path / time, dict(version='1'))
    assert read_log(tmp_path).curve('loss', False) == ([1], [11])  # nobody says who finished
    write_facts(tmp_path / '20260102_000000', dict(version='1'), finished=True)
    (tmp_path / '20260103_000000/vis_data/config.py').write_text('resume = False\nother = 1\n')
    run = read_run(tmp_path)
    assert run.log.curve('loss', False) == ([1, 2, 3], [1, 2, 3]) and run.starts == 2
    assert 'other' not in run.config_text
    assert run.left_out == [
        '1 start of a later run in this folder (20260103_000000): it did not come to its end, and '
        'the run of 20260101_000000 did'
    ]
    write_facts(tmp_path / '20260103_000000', dict(version='1'), finished=True)
    assert read_log(tmp_path).curve('loss', False) == ([1], [11])


def test_one_that_found_nothing_to_resume_is_another(tmp_path: Path) -> None:
    write_asked(tmp_path, '20260101_000000', [step(1, 1.0)], 'False')
    write_asked(tmp_path, '20260102_000000', [step(2, 2.0)], "'auto'")
    text = tmp_path / '20260102_000000/20260102_000000.log'
    text.write_text(f'--resume: no checkpoint in {tmp_path}, training starts from the beginning')
    assert read_log(tmp_path).curve('loss', False) == ([2], [2])


def test_places_are_epochs_that_have_passed(tmp_path: Path) -> None:
    lines = [step(n, n, per_epoch=5) for n in (1, 4, 6)]
    lines.insert(2, dict({'knn/top1': 1.0}, epoch=1, step=5))
    lines[0]['loss'] = math.nan
    write_start(tmp_path, '20260101_000000', [*lines, {'accuracy/top1': 40.0, 'step': 1}])
    log = read_log(tmp_path)
    assert log.per_epoch == 5
    x, y = log.curve('loss', by_epoch=True)
    assert x == [0.2, 0.8, 1.2] and math.isnan(y[0]) and y[1:] == [4, 6]
    assert log.curve('accuracy/top1', True) == ([1], [40.0])
    assert log.curve('accuracy/top1', False) == ([5], [40.0])
    assert log.epochs() == pytest.approx(1.2)


def test_a_run_of_the_engine(tmp_path: Path) -> None:
    """Two epochs, then two more in a second process's place; every iteration once, in order."""
    train(runner_config(tmp_path, max_epochs=2))
    config = runner_config(tmp_path, max_epochs=4, resume=True)
    config.experiment_name += '_again'
    config.resume_allow = ['settings']
    train(config)
    assert len(list(tmp_path.glob('*/vis_data/scalars.json'))) == 2
    log = read_log(tmp_path)
    x, _ = log.curve('loss', by_epoch=False)
    assert x == list(range(1, 17)) and log.per_epoch == 4 and log.epochs() == 4


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A function that changes the time zone of this process."""

    def change(name: str) -> None:
        monkeypatch.setenv('TZ', name)
        tzset()

    yield change
    monkeypatch.delenv('TZ')
    tzset()


def test_a_run_that_goes_on_under_another_time_zone(
    tmp_path: Path, zone: Callable[[str], None]
) -> None:
    """The second start has the name of an earlier hour; its half is there, and nothing else."""
    zone('JST-9')
    train(runner_config(tmp_path, max_epochs=2))
    zone('PST8')
    config = runner_config(tmp_path, max_epochs=4, resume=True, resume_allow=['settings'])
    config.experiment_name += '_again'
    train(config)
    names = sorted(path.parents[1].name for path in tmp_path.glob('*/vis_data/scalars.json'))
    log = read_log(tmp_path)
    assert [start.name for start in log.starts] == names[::-1]
    assert log.curve('loss', by_epoch=False)[0] == list(range(1, 17))
    assert 'max_epochs=4' in read_run(tmp_path).config_text  # of the newest start


def test_the_hour_that_comes_twice(tmp_path: Path) -> None:
    """Summer time ends: the run goes on half an hour later, under an earlier name."""
    write_start(tmp_path, '20261025_025000', [step(1, 1.0), step(2, 2.0)])
    write_start(tmp_path, '20261025_022000', [step(3, 3.0)])
    for name, seconds in (('20261025_025000', 1000.0), ('20261025_022000', 2800.0)):
        write_facts(tmp_path / name, dict(unix_time=seconds))
    assert read_log(tmp_path).curve('loss', False) == ([1, 2, 3], [1, 2, 3])


def test_analyses_of_another_time_zone(tmp_path: Path) -> None:
    """Weights of a run that replaced an earlier one are its own, whatever the clock showed."""
    write_asked(tmp_path, '20260102_230000', [step(1, 1.0)], 'False')
    write_asked(tmp_path, '20260102_100000', [step(1, 2.0)], 'False')
    for name, seconds in (('20260102_230000', 1000.0), ('20260102_100000', 2000.0)):
        write_facts(tmp_path / name, dict(unix_time=seconds))
    record = dict(epoch=1, iter=1, scalars={'rank/backbone': 2.0}, saved='20260102_090000')
    for number, seconds in ((1, 1500.0), (2, 2500.0)):
        write_analysis(
            tmp_path / 'analysis', f'epoch_{number}',
            dict(record, epoch=number, saved_at=seconds), dict(probabilities=np.ones(2)),
        )  # fmt: skip
    run = read_run(tmp_path)
    assert run.log.last('loss') == 2.0
    assert [record['epoch'] for record, _ in run.analyses] == [2]
    assert any('epoch_1.json: stale' in words for words in run.left_out)


@pytest.mark.parametrize('said_by', ['facts', 'log', 'nobody'])
def test_a_run_that_was_killed_in_its_first_epoch(tmp_path: Path, said_by: str) -> None:
    """After 3 of 100 iterations it is at epoch 0.03; where nobody says 100, epochs are unknown."""
    write_start(tmp_path, '20260101_000000', [step(n, n, per_epoch=100) for n in (1, 2, 3)])
    if said_by == 'facts':
        write_facts(tmp_path / '20260101_000000', dict(epoch_length=100))
    elif said_by == 'log':
        with open(tmp_path / '20260101_000000/20260101_000000.log', 'a') as file:
            file.write(
                '2026/01/01 00:00:01 - mmengine - INFO - Epoch(train)   [1][  3/100]  lr: 1\n'
            )
    log = read_log(tmp_path)
    if said_by == 'nobody':
        assert log.per_epoch is None and math.isnan(log.epochs())
        return
    assert log.per_epoch == 100 and log.epochs() == pytest.approx(0.03)
    assert log.curve('loss', True)[0] == pytest.approx([0.01, 0.02, 0.03])


def test_the_engine_says_how_long_an_epoch_is(tmp_path: Path) -> None:
    from mmengine.hooks import Hook

    from mochi_mm.launch.runner import build_runner

    class Killed(Hook):
        def after_train_iter(self, runner: Any, *about: Any, **more: Any) -> None:
            if runner.iter == 1:
                raise KeyboardInterrupt

    config = runner_config(tmp_path, log_level='WARNING')
    runner = build_runner(config)
    runner.register_hook(Killed(), 'LOWEST')
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    log = read_log(tmp_path)
    assert log.per_epoch == 4 and log.epochs() == 0.5
    assert read_run(tmp_path).ending.state == 'not finished'


def test_facts_that_are_no_file_are_passed_by(tmp_path: Path) -> None:
    write_start(tmp_path, '20260101_000000', [step(1, 1.0)])
    os.mkfifo(tmp_path / '20260101_000000/start_facts.json')
    assert read_log(tmp_path).last('loss') == 1.0


def test_no_logs(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='no folder .*absent'):
        read_log(tmp_path / 'absent')
    with pytest.raises(FileNotFoundError, match='no logs in'):
        read_log(tmp_path)
    write_start(tmp_path / 'my_run', '20260101_000000', [])
    with pytest.raises(FileNotFoundError, match='but in folders below it.*: my_run'):
        read_log(tmp_path)
    write_start(tmp_path, '20260101_000000', [])
    with pytest.raises(ValueError, match='hold no scalars'):
        read_log(tmp_path)
    write_start(tmp_path, '20260102_000000', ['{"loss"', step(1, 2)])
    with pytest.raises(ValueError, match='line 1 is no JSON'):
        read_log(tmp_path)
