"""Other trackers through MMEngine's backends: a resumed run continues its curves."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.evaluation.analysis.toy import PLAIN
from tests.toy_runner import runner_config, train

SAMPLES = dict(
    batch_size=5,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='NoiseImages', size=12, pipeline=PLAIN),
)
HOOKS = [
    dict(type='KNNHook', bank_dataloader=SAMPLES, query_dataloader=SAMPLES, k=3, interval=1),
    dict(type='AnalysisHook', dataloader=SAMPLES, num_queries=4, interval=1, measures=['rank']),
]


def run_and_resume(folder: Path, backend: dict[str, Any]) -> None:
    """Two epochs of four steps, then two more after a resume."""
    for epochs in (2, 4):
        config = runner_config(folder, max_epochs=epochs, custom_hooks=HOOKS)
        config.visualizer.vis_backends = [dict(type='LocalVisBackend'), backend]
        config.resume, config.resume_allow = epochs == 4, ['settings']
        config.experiment_name += str(epochs)
        train(config)


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip('tensorboard', reason='the extra "tensorboard" is not installed')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / 'tensorboard'
    run_and_resume(tmp_path / 'run', dict(type='TensorboardVisBackend', save_dir=str(folder)))
    assert len(list(folder.glob('events.*'))) == 2
    events = EventAccumulator(str(folder))
    events.Reload()

    def steps(name: str) -> list[int]:
        return [event.step for event in events.Scalars(name)]

    assert steps('loss') == list(range(1, 17))
    assert steps('lr') == list(range(1, 17))
    assert steps('knn/top1') == [4, 8, 12, 16]
    assert steps('analysis/rank/neck') == [4, 8, 12, 16]


def test_weights_and_biases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What MMEngine hands to wandb, which counts steps of its own: the iteration is in it."""
    logged: list[dict[str, Any]] = []
    starts: list[dict[str, Any]] = []
    axes: list[dict[str, Any]] = []
    stand_in = SimpleNamespace(
        init=lambda **settings: starts.append(settings),
        define_metric=lambda **settings: axes.append(settings),
        log=lambda values, commit: logged.append(values),
        config=SimpleNamespace(update=lambda *_, **__: None),
        run=SimpleNamespace(log_code=lambda **_: None),
        join=lambda: None,
    )
    monkeypatch.setitem(sys.modules, 'wandb', stand_in)
    backend = dict(
        type='WandbVisBackend',
        init_kwargs=dict(project='toy', id='one', resume='allow', allow_val_change=True),
        define_metric_cfg=[dict(name='*', step_metric='iter')],
    )
    run_and_resume(tmp_path / 'run', backend)
    assert [(s['id'], s['resume']) for s in starts] == [('one', 'allow')] * 2
    assert axes == [dict(name='*', step_metric='iter')] * 2
    for key, wanted in (('loss', list(range(1, 17))), ('knn/top1', [4, 8, 12, 16])):
        assert [line['iter'] for line in logged if key in line] == wanted
    assert [line['iter'] for line in logged if 'analysis/rank/neck' in line] == [4, 8, 12, 16]
