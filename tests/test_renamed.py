"""Configs of 0.1 build what they built, and say once what the new name is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger

from mochi_mm import renamed
from mochi_mm.models import algorithms, heads, memories
from mochi_mm.registry import MODELS
from mochi_mm.renamed import modern

QUEUE = dict(type='FeatureQueue', length=16, dim=8)
FINDER = dict(type='FalseNegativeFinder', num_support=1)
BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)
PAIRS = dict(type='PairMixing', num=3)

COMPONENTS: dict[str, tuple[dict[str, Any], type]] = {
    'MomentumContrast': (
        dict(backbone=BACKBONE, neck=NECK, head=dict(type='ContrastiveHead', memory=QUEUE)),
        algorithms.MoCo,
    ),
    'LabelledMemoryHead': (dict(memory=QUEUE), heads.SupConHead),
    'FalseNegativeMemoryHead': (dict(memory=QUEUE, finder=FINDER), heads.FalseNegativeHead),
}


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was logged; each name is said once a process, which a test starts anew."""
    lines: list[str] = []

    def keep(message: str, logger: Any = None, level: int = logging.INFO) -> None:
        assert logger == 'current' and level == logging.WARNING
        lines.append(message)

    monkeypatch.setattr(renamed, 'print_log', keep)
    renamed._say.cache_clear()
    yield lines
    renamed._say.cache_clear()


@pytest.mark.parametrize('scope', ['', 'mochi_mm.'])
@pytest.mark.parametrize('name', COMPONENTS)
def test_components_build_under_their_former_name(name: str, scope: str, said: list[str]) -> None:
    settings, kind = COMPONENTS[name]
    for _ in range(2):
        assert type(MODELS.build(dict(type=scope + name, **settings))) is kind
    assert said == [f'{name} is the name of 0.1; it is called {kind.__name__} now (UPGRADING.md)']
    assert MODELS.get(name) is kind and set(COMPONENTS) == set(renamed.COMPONENTS)


def test_a_labeled_memory_head_gives_the_loss_of_a_sup_con_head() -> None:
    query, key = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    samples = dict(gt_label=torch.arange(4) % 2)
    results = []
    for kind in ('LabelledMemoryHead', 'SupConHead'):
        head = MODELS.build(dict(type=kind, memory=QUEUE, form='in', temperature=0.3))
        head.loss(key, query, samples)
        results.append(head.loss(query, key, samples)['loss_contrast'])
    assert torch.equal(*results)


def test_the_momentum_of_a_bank_is_its_ema_decay(said: list[str]) -> None:
    bank = MODELS.build(dict(type='InstanceBank', length=4, dim=2, momentum=0.25))
    assert isinstance(bank, memories.InstanceBank) and bank.ema_decay == 0.25
    assert said == [
        'InstanceBank(momentum=) is the name of 0.1; it is called ema_decay now (UPGRADING.md)'
    ]
    modern_bank = dict(type='InstanceBank', length=4, dim=2, ema_decay=0.25)
    assert modern(dict(type='InstanceBank', length=4, dim=2, momentum=0.25)) == modern_bank
    assert len(said) == 1


MIXING = dict(num_hard=5, mixers=[PAIRS], start_epoch=2)
HEADS: dict[str, dict[str, Any]] = {
    'ContrastiveHead': dict(memory=QUEUE),
    'SoftContrastiveHead': dict(memory=QUEUE),
    'LabelledMemoryHead': dict(memory=QUEUE),
    'FalseNegativeMemoryHead': dict(memory=QUEUE, finder=FINDER),
    'CrossViewHead': dict(
        memories=[dict(type='InstanceBank', length=9, dim=4)] * 2, num_negatives=6, form='softmax'
    ),
}


@pytest.mark.parametrize('name', HEADS)
def test_mixers_beside_a_head_become_its_mixing(name: str, said: list[str]) -> None:
    head = MODELS.build(dict(type=name, **HEADS[name], **MIXING))
    assert (head.mixing.num_hard, head.mixing.start_epoch) == (5, 2)
    assert [type(mixer).__name__ for mixer in head.mixing.mixers] == ['PairMixing']
    now = renamed.COMPONENTS.get(name, name)
    assert said[-1] == (
        f'{now}(num_hard=, mixers=, start_epoch=) is the name of 0.1; it is called '
        'mixing=dict(...) now (UPGRADING.md)'
    )
    with pytest.raises(ValueError, match=f'{now} got mixing and num_hard beside it'):
        MODELS.build(dict(type=name, **HEADS[name], num_hard=5, mixing=dict(num_hard=4)))


def test_hard_negative_mixing_head_keeps_its_spelling(said: list[str]) -> None:
    config = dict(type='HardNegativeMixingHead', memory=QUEUE, **MIXING)
    assert modern(config) == config and MODELS.build(config).mixing.num_hard == 5
    assert said == []


def test_a_backbone_head_is_a_head_that_taps_the_backbone(said: list[str]) -> None:
    config = dict(
        type='InBatchContrast', backbone=BACKBONE, neck=NECK, head=dict(type='NTXentHead')
    )
    model = MODELS.build(dict(config, backbone_head=dict(type='FairKLHead')))
    assert list(model.heads) == ['backbone_head'] and model.heads['backbone_head'].tap == 'backbone'
    assert len(said) == 1 and "heads=dict(name=dict(..., tap='backbone'))" in said[0]
    module = heads.FairKLHead()
    assert MODELS.build(dict(config, backbone_head=module)).heads['backbone_head'] is module
    assert module.tap == 'backbone'
    assert len(MODELS.build(dict(config, backbone_head=None)).heads) == 0


def test_what_is_not_renamed_is_left_alone(said: list[str]) -> None:
    for config in (
        dict(type='FeatureQueue', length=4),
        dict(type='mmdet.ContrastiveHead', num_hard=3),
        dict(type='mmdet.MomentumContrast'),
        dict(type='InstanceBank', ema_decay=0.5),
        dict(type='PairMixing', num=3),
    ):
        before = dict(config)
        assert modern(config) == before and config == before
    assert said == []


def test_a_config_is_not_changed() -> None:
    config = dict(type='LabelledMemoryHead', memory=QUEUE, num_hard=3)
    before = dict(config)
    assert modern(config) == dict(
        type='SupConHead', memory=QUEUE, mixing=dict(type='HardNegativeMixing', num_hard=3)
    )
    assert config == before


def test_the_warning_reaches_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through MMEngine's own logger, as in a run."""
    monkeypatch.undo()
    renamed._say.cache_clear()
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        modern(dict(type='MomentumContrast'))
        modern(dict(type='MomentumContrast'))
    finally:
        logger.removeHandler(handler)
    assert [record.levelno for record in records] == [logging.WARNING]
    assert 'MomentumContrast is the name of 0.1; it is called MoCo now' in records[0].getMessage()
