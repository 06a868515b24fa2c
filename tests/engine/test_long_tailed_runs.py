"""Runs on a long tail: counts reach all parts, interruptions change nothing, centers classify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.registry import DATASETS
from tests.engine.test_resume import assert_same_run, config_of, run
from tests.toy_runner import TWO_VIEWS, runner_config, train

QUEUE = dict(type='FeatureQueue', length=10, dim=8)
CENTERS = dict(
    type='ParametricContrastHead', memory=QUEUE, num_classes=3, in_channels=64, alpha=0.1
)
MINED = dict(
    type='ResComHead',
    num_positives=1,
    num_negatives=2,
    memory=dict(type='ClassBalancedQueue', num_classes=3, per_class=3, dim=8),
)
# 24 images of noise in three classes: 8, 5 and 4 are left.
TAIL = dict(type='LongTail', factor=0.5, dataset=dict(type='NoiseImages', size=24, pipeline=()))
COUNTS = [8, 5, 4]


def models(config: Any) -> dict[str, Any]:
    """PaCo, GPaCo and the multi-task baseline on the toy network of a config."""
    parts = {key: config.model[key] for key in ('backbone', 'neck')}
    in_batch = dict(parts, type='InBatchContrast')
    classifier = dict(type='BalancedSoftmaxHead', num_classes=3, in_channels=64)
    return dict(
        paco=dict(config.model.to_dict(), head=CENTERS),
        gpaco=dict(in_batch, head=dict(CENTERS, anchor_views='both', label_smoothing=0.1)),
        multi_task=dict(
            in_batch, head=dict(type='SupConHead', weight=0.1), heads=dict(c=classifier)
        ),
        rescom=dict(in_batch, head=MINED),
    )


def on_the_tail(config: Any, kind: str) -> Any:
    """The config with a model of :func:`models` and long-tailed images."""
    model = models(config)[kind]
    config.model = model
    config.train_dataloader.dataset = dict(TAIL, pipeline=TWO_VIEWS)
    return config


@pytest.mark.parametrize('kind', ['paco', 'gpaco', 'multi_task', 'rescom'])
def test_an_interruption_changes_nothing(tmp_path: Path, kind: str) -> None:
    straight = run(on_the_tail(config_of(tmp_path / 'straight', 'epochs'), kind))
    parts = [
        line
        for at in (2, 6, -1)
        for line in run(on_the_tail(config_of(tmp_path / 'parts', 'epochs', at), kind))
    ]
    assert parts == straight
    assert_same_run(tmp_path / 'straight', tmp_path / 'parts')


@pytest.mark.parametrize(('kind', 'part'), [('paco', 'head'), ('multi_task', 'heads.c')])
def test_counts_reach_the_parts_and_the_checkpoint(tmp_path: Path, kind: str, part: str) -> None:
    train(on_the_tail(runner_config(tmp_path, 1), kind))
    saved = read_checkpoint(tmp_path / 'epoch_1.pth')['state_dict']
    assert saved[f'{part}.class_counts.counts'].tolist() == COUNTS


def test_data_that_do_not_fit_stop_the_start(tmp_path: Path) -> None:
    config = on_the_tail(runner_config(tmp_path, 1), 'paco')
    config.model.head.num_classes = 4
    with pytest.raises(ValueError, match='made for 4 classes but the training set has 3'):
        train(config)


@pytest.mark.parametrize('kind', ['paco', 'gpaco', 'multi_task'])
def test_what_was_learned_is_validated_and_tested(tmp_path: Path, kind: str) -> None:
    """Of the same images, as validation and as test: the same figures."""
    from mochi_mm.launch.runner import build_runner

    queries = dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='KeyedSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='NoiseImages', size=9, pipeline=[dict(type='PackInputs')]),
    )
    metrics = [
        dict(type='TopKAccuracy', topk=(1,)),
        dict(type='GroupAccuracy', dataset=TAIL, cuts=(7, 5)),
    ]
    config = on_the_tail(runner_config(tmp_path, 1), kind)
    for name, loop in (('val', 'ValLoop'), ('test', 'TestLoop')):
        config[f'{name}_dataloader'], config[f'{name}_evaluator'] = queries, metrics
        config[f'{name}_cfg'] = dict(type=loop)
    runner = train(config)
    names = ('top1', 'many_over7', 'medium_5to7', 'few_below5')
    seen = {n: runner.message_hub.get_scalar(f'val/accuracy/{n}').current() for n in names}
    config.experiment_name = f'{config.experiment_name}_test'
    found = build_runner(config).test_from(str(tmp_path / 'epoch_1.pth'))
    assert {name: found[f'accuracy/{name}'] for name in names} == pytest.approx(seen)
    assert found['accuracy/top1'] == pytest.approx(
        sum(found[f'accuracy/{n}'] for n in names[1:]) / 3
    )
    for metric in config.test_evaluator:
        if metric['type'] == 'GroupAccuracy':
            metric['dataset']['factor'] = 0.4
    config.experiment_name = f'{config.experiment_name}_other'
    with pytest.raises(ValueError, match=r'trained on \[8, 5, 4\]: .* of another long tail'):
        build_runner(config).test_from(str(tmp_path / 'epoch_1.pth'))
    # The head by hand, on the pooled features.
    model = runner.model.eval()
    images = DATASETS.build(queries['dataset'])
    batch = dict(inputs=[torch.stack([images[i]['inputs'][0] for i in range(9)])])
    head = model.head if kind != 'multi_task' else model.heads['c']
    with torch.no_grad():
        scores = head.predict(model.extract_feat(model.data_preprocessor(batch)['inputs']))
    right = (scores.argmax(1) == torch.arange(9) % 3).double().mean()
    assert found['accuracy/top1'] == pytest.approx(100 * float(right))
