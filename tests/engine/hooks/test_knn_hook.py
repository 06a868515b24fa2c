"""kNN during training: when it measures, what it writes, and that training does not notice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import Runner

from mochi_mm.engine.hooks.knn_hook import KNNHook
from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.runs.measured_figures import rule_for
from tests.evaluation.toy import ToyImages, loader_config, toy_loader

NAME = 'knn_other/top1'
BANK, QUERIES = loader_config(size=30), loader_config(size=12, seed=1)


def train(folder: Path, hooks: list[dict], epochs: int = 5, **changes: Any) -> Runner:
    """Train with drop-out and a shuffling loader, both fed by the global torch generator."""
    loader = loader_config(size=20)
    loader['sampler'] = torch.utils.data.RandomSampler(ToyImages(20))
    settings: dict[str, Any] = dict(
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=hooks,
        randomness=dict(seed=3),
        default_scope='mochi_mm',
        experiment_name=f'hook_{folder.name}',
        default_hooks=dict(checkpoint=None),
        log_level='WARNING',
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]),
    )
    runner = Runner(
        dict(type='ToyAlgorithm', backbone=dict(type='ToyBackbone')),
        str(folder),
        **{**settings, **changes},
    )
    runner.train()
    return runner


def hook(**changes: Any) -> dict[str, Any]:
    settings = dict(type='KNNHook', bank_dataloader=BANK, query_dataloader=QUERIES, k=3)
    return {**settings, **changes}


def scalars(runner: Runner, folder: Path) -> list[dict]:
    lines = next(folder.rglob('vis_data/scalars.json')).read_text().splitlines()
    return [line for line in map(json.loads, lines) if 'knn/top1' in line]


def test_weights_are_those_of_a_run_without_the_hook(tmp_path: Path) -> None:
    plain = train(tmp_path / 'plain', [])
    hooked = train(tmp_path / 'hooked', [hook(interval=1, at_start=True)])
    state = hooked.model.state_dict()
    for name, value in plain.model.state_dict().items():
        assert torch.equal(state[name], value), name
    assert len(scalars(hooked, tmp_path / 'hooked')) == 6


def test_every_interval_and_the_end(tmp_path: Path) -> None:
    runner = train(tmp_path, [hook(interval=2)])
    lines = scalars(runner, tmp_path)
    assert [(line['epoch'], line['step']) for line in lines] == [(2, 8), (4, 16), (5, 20)]
    by_k = knn_evaluate(
        runner.model, toy_loader(ToyImages(30)), toy_loader(ToyImages(12, seed=1)), 3
    )
    assert lines[-1]['knn/top1'] == by_k['knn/top1_k3']
    assert lines[-1]['knn/top5'] == by_k['knn/top5_k3']
    assert runner.message_hub.get_scalar('knn/top1').current() == by_k['knn/top1_k3']
    # The run's own log gets the same lines.
    log = next(tmp_path.rglob(f'vis_data/{runner.timestamp}.json')).read_text()
    assert log.count('knn/top1') == 3


def test_the_last_epoch_is_measured_once(tmp_path: Path) -> None:
    runner = train(tmp_path, [hook(interval=2)], epochs=2)
    assert [line['epoch'] for line in scalars(runner, tmp_path)] == [2]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(k=31), 'k is 31 but the data set of the bank has 30 samples'),
        (dict(bank_dataloader=loader_config(unlabeled=[2])), 'bank data set has samples without'),
        (dict(bank_dataloader=loader_config(classes='123456')), "only the query data set has '0'"),
    ],
)
def test_data_are_checked_before_the_first_iteration(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train(tmp_path, [hook(**changes)])
    assert not list(tmp_path.rglob('scalars.json'))


def test_settings_are_checked_when_built() -> None:
    for changes, message in [
        (dict(interval=0), 'interval is 0'),
        (dict(k=0), r'k is \[0\]'),
        (dict(temperature=-1), 'temperature is -1'),
        (dict(cuts=(1, 5)), 'cuts is'),
        (dict(name='other'), "name is 'other'; expected 'knn', or a word"),
        (dict(name='knn_a/b'), "name is 'knn_a/b'"),
    ]:
        with pytest.raises(ValueError, match=message):
            KNNHook(BANK, QUERIES, **changes)


def test_groups_of_classes(tmp_path: Path) -> None:
    runner = train(tmp_path, [hook(interval=5, cuts=(5, 5))])
    (line,) = scalars(runner, tmp_path)
    assert line['knn/medium_5to5'] == line['knn/top1']


def test_two_hooks_log_by_two_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='two KNNHooks log knn/top1, so that one figure would'):
        train(tmp_path / 'alike', [hook(), hook()])
    other = hook(name='knn_other', interval=2)
    runner = train(tmp_path / 'apart', [hook(), other])
    count = {name: len(runner.message_hub.get_scalar(name).data[0]) for name in ('knn/top1', NAME)}
    assert count == {'knn/top1': 1, NAME: 3}
    assert rule_for(NAME, None) == 'greater'
