"""How long the training may be, and what the figures are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments.on_device.stages import Settings, figures, stages, training


def settings(out: Path, seeds: tuple[int, ...] = (0, 1), workers: int = 15) -> Settings:
    return Settings('cuda', out, out / 'packs', None, 256, seeds, workers, tiny=False)


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))


def epochs(*seconds: float) -> list[dict[str, float]]:
    return [dict(seconds=value) for value in seconds]


def test_training_takes_the_time_that_is_left(tmp_path: Path) -> None:
    write(tmp_path / 'epochs_mocov2.json', dict(epochs=epochs(50, 2, 2)))
    assert training(settings(tmp_path), 300) is None  # MoCHi was not measured
    write(tmp_path / 'epochs_mochi.json', dict(epochs=epochs(50, 3, 3)))
    stage = training(settings(tmp_path), 330)
    assert stage is not None and stage.seconds == 330
    names = ['train_mocov2_0', 'train_mocov2_1', 'train_mochi_0', 'train_mochi_1']
    assert [job.name for job in stage.jobs] == names
    # 0.85 * (330 - 30) seconds for two seeds of 2 + 3 seconds an epoch.
    assert {job.arguments['epochs'] for job in stage.jobs} == {25}
    assert {job.arguments['workers'] for job in stage.jobs} == {3}
    assert training(settings(tmp_path), 41) is None
    longest = training(settings(tmp_path), 10**6)
    assert longest is not None and longest.jobs[0].arguments['epochs'] == 200


def test_stages_have_names_of_their_own_and_fit(tmp_path: Path) -> None:
    found = stages(settings(tmp_path))
    jobs = [job.name for stage in found for job in stage.jobs]
    assert len(set(jobs)) == len(jobs) and found[0].name == 'environment'
    assert sum(stage.seconds for stage in found) < 11 * 60


def test_figures_are_of_what_was_measured(tmp_path: Path) -> None:
    assert figures(tmp_path) == {}
    write(tmp_path / 'epochs_mocov2.json', dict(epochs=epochs(9, 2, 4, 3)))
    step = dict(flops_per_second=2e14, step=0.5)
    write(tmp_path / 'step_bf16.json', dict(measured=dict(ours=step, plain={})))
    assert figures(tmp_path) == dict(epoch_seconds=dict(mocov2=3))
    write(tmp_path / 'environment.json', dict(peak_flops=8e14))
    write(tmp_path / 'head.json', dict(measured=dict(mochi=dict(ours=dict(median=0.02)))))
    runs = [(0, 2, 40.0), (1, 2, 50.0), (2, 1, 90.0)]  # the last was ended behind one epoch
    for seed, count, top1 in runs:
        run = dict(epochs=epochs(*[1] * count), planned_epochs=2, knn={'knn/top1': top1})
        write(tmp_path / f'train_mochi_{seed}.json', run)
    found = figures(tmp_path)
    assert found['share_of_peak'] == dict(step_bf16=pytest.approx(0.25))
    assert found['head_share'] == dict(mochi=pytest.approx(0.04))
    assert found['knn'] == dict(mochi=dict(top1=45.0, each=[40.0, 50.0], epochs=2))
