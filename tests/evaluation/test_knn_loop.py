"""The kNN test loop under MMEngine's runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import Runner

from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from tests.evaluation.toy import ToyImages, loader_config, toy_loader, toy_model


def runner(folder: Path, **changes: Any) -> Runner:
    test_cfg = dict(type='KNNLoop', bank_dataloader=loader_config(size=30), k=[1, 5])
    torch.manual_seed(0)
    return Runner(
        dict(type='ToyAlgorithm', backbone=dict(type='ToyBackbone')),
        str(folder),
        test_dataloader=changes.pop('queries', loader_config(size=12, seed=1)),
        test_evaluator=changes.pop('evaluator', []),
        test_cfg=dict(test_cfg, **changes),
        randomness=dict(seed=0),
        default_scope='mochi_mm',
        experiment_name=f'knn_{folder.name}',
        log_level='WARNING',
    )


def test_metrics_reach_the_hooks_and_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(tmp_path)
    run.model.load_state_dict(toy_model().state_dict())
    calls: list[tuple[str, Any]] = []
    call_hook = run.call_hook

    def recorded(name: str, **arguments: Any) -> None:
        calls.append((name, arguments.get('metrics')))
        call_hook(name, **arguments)

    monkeypatch.setattr(run, 'call_hook', recorded)
    metrics = run.test()
    expected = knn_evaluate(
        toy_model(), toy_loader(ToyImages(30)), toy_loader(ToyImages(12, seed=1)), (1, 5)
    )
    assert metrics == expected and len(metrics) == 4
    assert calls == [
        ('before_run', None),
        ('before_test', None),
        ('before_test_epoch', None),
        ('after_test_epoch', metrics),
        ('after_test', None),
        ('after_run', None),
    ]
    logged = json.loads(next(tmp_path.rglob(f'{run.timestamp}.json')).read_text())
    assert logged == pytest.approx(expected)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(evaluator=dict(type='TopKAccuracy')), r'set test_evaluator = \[\]'),
        (dict(k=31), 'k is 31 but the data set of the bank has 30 samples'),
        (dict(k=[]), r'k is \[\]'),
        (dict(temperature=0), 'temperature is 0'),
        (
            dict(queries=loader_config(size=4, unlabeled=[0])),
            'the query data set has samples without',
        ),
        (
            dict(queries=loader_config(size=4, classes='123456')),
            "only the bank data set has '0'; only the query data set has '6'",
        ),
    ],
)
def test_errors_before_anything_is_computed(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        runner(tmp_path, **changes).test()


def test_groups_of_classes(tmp_path: Path) -> None:
    """Five images of each class in the bank, so all of them are in one group."""
    metrics = runner(tmp_path, k=[1], cuts=(5, 5)).test()
    assert metrics['knn/medium_5to5_k1'] == metrics['knn/top1_k1'] and len(metrics) == 3
    with pytest.raises(ValueError, match='cuts is'):
        runner(tmp_path, cuts=(5,)).test()
