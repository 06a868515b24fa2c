"""Runs of methods with a bank or a schedule: what the hooks tell them, refuse and resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.models.algorithms import MoCo
from tests.engine.test_runs import StopAfterEpoch
from tests.models.algorithms.test_cross_view_contrast import config as cross_view_config
from tests.models.algorithms.toy import moco_config
from tests.toy_runner import VIEW, runner_config, train


def cross_view(length: int) -> dict[str, Any]:
    bank = dict(type='InstanceBank', length=length, dim=8)
    return cross_view_config(
        head=dict(type='CrossViewHead', memories=[bank, bank], num_negatives=5, form='nce')
    )


def run_config(folder: Path, model: dict[str, Any], **changes: Any) -> Any:
    config = runner_config(folder, **changes)
    config.model = model
    config.train_dataloader.dataset.pipeline = [*VIEW, dict(type='PackInputs')]
    return config


def test_a_bank_smaller_than_the_data_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='has 15 rows but the data set 16 images'):
        train(run_config(tmp_path, cross_view(15)))
    assert not list(tmp_path.glob('*.pth'))


def test_banks_and_normalizer_are_resumed_bit_for_bit(tmp_path: Path) -> None:
    straight = train(run_config(tmp_path / 'straight', cross_view(16), max_epochs=2))
    first = run_config(tmp_path / 'parts', cross_view(16), max_epochs=2)
    first.custom_hooks = [dict(type=StopAfterEpoch.__name__, epochs=1)]
    with pytest.raises(KeyboardInterrupt):
        train(first)
    second = run_config(tmp_path / 'parts', cross_view(16), max_epochs=2, resume=True)
    second.experiment_name += 'resumed'
    resumed = train(second)
    assert resumed.iter == straight.iter == 8
    state = resumed.model.state_dict()
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert bool(straight.model.head.memories[0].held().all())


def test_the_schedule_is_told_the_share_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []
    tell = MoCo.set_progress
    monkeypatch.setattr(MoCo, 'set_progress', lambda self, x: told.append(x) or tell(self, x))
    model = moco_config(mixing=False, ema_schedule='cosine')
    train(runner_config(tmp_path, model=model))
    assert told == [step / 8 for step in range(8)]
