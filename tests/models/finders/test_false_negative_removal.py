"""Removal as a part of a head: worked values, a loop for each rule, the ramp, what is refused."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.finders import FalseNegativeRemoval
from mochi_mm.models.heads import ContrastiveHead, KeyBatchHead, NTXentHead
from mochi_mm.registry import MODELS
from tests.models.heads.toy import memory, mixing, pairs, synthetic
from tests.models.heads.worked import random_views
from tests.reference import dot, unit

# Two views of three images, of the classes 0, 0, 1.
WORKED = torch.tensor([[(1, 0), (0.96, 0.28)], [(0.8, 0.6), (0.6, 0.8)], [(0, 1), (-0.28, 0.96)]])
CLASSES = dict(gt_label=torch.tensor([0, 0, 1]))
RULES: dict[str, dict[str, Any]] = dict(
    oracle=dict(rule='oracle'),
    threshold=dict(rule='threshold', threshold=0.2),
    bounded=dict(rule='threshold', threshold=-0.5, max_share=0.3),
    top_k=dict(rule='top_k', top_k=2),
    quantile=dict(rule='quantile', share=0.4),
)


@pytest.mark.parametrize(
    ('settings', 'value', 'share'),
    [
        (None, 1.025665, None),
        (dict(rule='oracle'), 0.596732, 8 / 24),
        (dict(rule='threshold', threshold=0.9), 0.910353, 2 / 24),
    ],
)
def test_worked_values(settings: Any, value: float, share: float | None) -> None:
    result = NTXentHead(0.5, removal=settings).loss(3 * WORKED, CLASSES)
    assert float(result['loss_contrast']) == pytest.approx(value, abs=1e-6)
    if share is None:
        assert 'removed_share' not in result
    else:
        assert float(result['removed_share']) == pytest.approx(share, abs=1e-6)


def found_by(settings: dict[str, Any], cosines: dict[Any, float], same: set[Any]) -> set[Any]:
    """The false negatives among the candidates that push, by the definition."""
    ranked = sorted(cosines, key=lambda name: -cosines[name])
    rule = settings['rule']
    if rule == 'oracle':
        return same & set(cosines)
    if rule == 'top_k':
        return set(ranked[: settings['top_k']])
    if rule == 'quantile':
        return set(ranked[: int(settings['share'] * len(ranked) + 1e-9)])
    most = int(settings.get('max_share', 1.0) * len(ranked) + 1e-9)
    return {name for name in ranked[:most] if cosines[name] > settings['threshold']}


def test_the_share_of_the_threshold_on_the_worked_batch() -> None:
    """By the loop: pairs of other images with a cosine above 0.9, both ways."""
    rows = WORKED.flatten(0, 1)
    other = [(i, j) for i in range(6) for j in range(6) if i // 2 != j // 2]
    assert len(other) == 24
    assert sum(dot(rows[i], rows[j]) > 0.9 for i, j in other) == 2


@pytest.mark.parametrize('part', [None, mixing(2)], ids=['plain', 'mixing'])
@pytest.mark.parametrize('size', [(4, 2), (5, 3)])
@pytest.mark.parametrize('name', RULES)
def test_in_the_batch_equals_the_loop(name: str, size: tuple[int, int], part: Any) -> None:
    """With its gradient, and what is removed is not mixed."""
    features, labels = random_views(*size), torch.arange(size[0]) % 2
    head = NTXentHead(0.3, mixing=part, removal=RULES[name])
    rows = {(b, v): unit(features[b, v].double()) for b in range(size[0]) for v in range(size[1])}
    losses, removed, pushing = [], 0, 0
    for b, v in rows:
        cosines = {k: dot(rows[b, v], rows[k]) for k in rows if k != (b, v)}
        push = {k: c for k, c in cosines.items() if k[0] != b}
        same = {k for k in push if labels[k[0]] == labels[b]}
        found = found_by(RULES[name], push, same)
        removed, pushing = removed + len(found), pushing + len(push)
        kept = {k: c for k, c in push.items() if k not in found}
        made = []
        if part is not None and kept:
            hard = sorted(kept, key=lambda k: -kept[k])[:2]
            made = synthetic(rows[b, v], [rows[k] for k in hard], head.mixing.mixers)
        pull = [c / 0.3 for k, c in cosines.items() if k[0] == b]
        total = math.log(sum(map(math.exp, [*pull, *(c / 0.3 for c in [*kept.values(), *made])])))
        losses.append(sum(total - p for p in pull) / len(pull))
    features.requires_grad_()
    result = head.loss(features, dict(gt_label=labels))
    found = float(result['loss_contrast'].detach())
    assert found == pytest.approx(sum(losses) / len(losses), abs=1e-5)
    assert float(result['removed_share']) == pytest.approx(removed / pushing, abs=1e-6)
    result['loss_contrast'].backward()
    assert bool(features.grad.isfinite().all())


@pytest.mark.parametrize('name', RULES)
def test_with_a_memory_equals_the_loop(name: str) -> None:
    """Rows that hold no key yet, and those that are dropped already, are never found."""
    queries, keys, samples = pairs(5)
    head = ContrastiveHead(memory(), 0.5, removal=RULES[name], mask_own_keys=True)
    bank, losses = head.memory.features.double(), []
    labels, indices = head.memory.labels.tolist(), head.memory.indices.tolist()
    for b in range(5):
        query, key = unit(queries[0][b].double()), unit(keys[1][b].double())
        seen = {j for j in range(11) if indices[j] != int(samples['sample_idx'][b])}
        held = {j: dot(query, bank[j]) for j in seen if j < 8}
        same = {j for j in held if labels[j] == int(samples['gt_label'][b])}
        kept = seen - found_by(RULES[name], held, same)
        push = [dot(query, bank[j]) / 0.5 for j in kept]
        pull = dot(query, key) / 0.5
        losses.append(math.log(sum(map(math.exp, [pull, *push]))) - pull)
    found = head.loss_views({0: queries[0]}, {1: keys[1]}, samples)['loss_contrast']
    assert float(found) == pytest.approx(sum(losses) / 5, abs=1e-5)


def test_keys_of_the_batch() -> None:
    """An oracle leaves the keys of other images of the class out."""
    features = random_views(4, 2)
    labels = torch.tensor([0, 1, 0, 1])
    head = KeyBatchHead(0.5, removal=dict(rule='oracle'))
    step = head.loss(features[:, 0], features[:, 1], dict(gt_label=labels))
    rows = [[unit(features[b, v].double()) for v in range(2)] for b in range(4)]
    losses = []
    for b in range(4):
        cosine = {j: dot(rows[b][0], rows[j][1]) / 0.5 for j in range(4)}
        kept = [c for j, c in cosine.items() if j == b or labels[j] != labels[b]]
        losses.append(math.log(sum(map(math.exp, kept))) - cosine[b])
    assert float(step['loss_contrast']) == pytest.approx(2 * 0.5 * sum(losses) / 4, abs=1e-5)
    assert float(step['removed_share']) == pytest.approx(1 / 3, abs=1e-6)


def test_it_grows_over_the_epochs_and_goes_on_after_a_restart() -> None:
    settings = dict(rule='quantile', share=0.4, ramp=0.8, start_epoch=2)
    heads = [NTXentHead(0.5, removal=settings) for _ in range(2)]
    plain = NTXentHead(0.5).loss(WORKED)['loss_contrast']
    whole = []
    features = random_views(11, 2)  # 20 candidates that push
    for epoch in range(8):
        heads[0].set_epoch(epoch, 8)
        whole.append(float(heads[0].loss(features)['removed_share']))
        if epoch < 3:  # bit for bit as without
            assert torch.equal(heads[0].loss(WORKED)['loss_contrast'], plain)
    assert whole == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.4], abs=1e-6)
    to_the_end = FalseNegativeRemoval('quantile', share=0.4, ramp=1.0, start_epoch=2)
    to_the_end.set_epoch(7, 8)
    assert to_the_end.grown == 1.0
    heads[1].load_state_dict(copy.deepcopy(heads[0].state_dict()))
    heads[1].set_epoch(5, 8)
    assert float(heads[1].loss(features)['removed_share']) == whole[5]
    late = FalseNegativeRemoval('top_k', top_k=1, start_epoch=1)
    assert late.grown is None
    late.set_epoch(1, 2)
    assert late.grown == 1.0
    with pytest.raises(ValueError, match=r'start_epoch of FalseNegativeRemoval is 1 but the run'):
        late.set_epoch(0, 1)


def test_what_it_finds_is_watched() -> None:
    removal = dict(RULES['top_k'], watch=True)
    features, labels = random_views(6, 2), torch.arange(6) % 2
    result = NTXentHead(0.5, removal=removal).loss(features, dict(gt_label=labels))
    rows = [unit(row.double()) for row in features.flatten(0, 1)]
    both = 0
    for a in range(12):
        push = {j: dot(rows[a], rows[j]) for j in range(12) if j // 2 != a // 2}
        nearest = sorted(push, key=lambda j: -push[j])[:2]
        both += sum(int(labels[j // 2] == labels[a // 2]) for j in nearest)
    assert float(result['removed_precision']) == pytest.approx(both / 24, abs=1e-6)
    assert float(result['removed_recall']) == pytest.approx(both / (12 * 4), abs=1e-6)


def test_labels_are_asked_for_on_the_host() -> None:
    head = NTXentHead(removal=dict(rule='oracle'))
    for samples in ({}, dict(gt_label=torch.tensor([0, -1]))):
        with pytest.raises(ValueError, match='removal needs gt_label for every sample'):
            head.check_samples(samples)
    NTXentHead(removal=RULES['top_k']).check_samples({})


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(rule='nearest'), "rule is 'nearest'; expected one of oracle, threshold, top_k, q"),
        (dict(), "rule is 'quantile' and share is None; set it"),
        (dict(rule='threshold'), 'threshold is None; set it'),
        (dict(rule='oracle', top_k=3), "rule is 'oracle', which has no top_k; take them out"),
        (dict(rule='top_k', top_k=3, ramp=0.5), 'which has no ramp'),
        (dict(rule='quantile', share=0.1, max_share=0.5), 'which has no max_share'),
        (dict(rule='threshold', threshold=1.0), r'threshold is 1.0; expected a cosine'),
        (dict(rule='threshold', threshold=0.5, max_share=2), 'max_share is 2; expected a share'),
        (dict(rule='top_k', top_k=0), 'top_k is 0'),
        (dict(rule='quantile', share=1.5), 'share is 1.5; expected a share, at most 1'),
        (dict(rule='quantile', share=0.5, ramp=-1), 'ramp is -1'),
        (dict(rule='oracle', start_epoch=-1), 'start_epoch is -1'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type='FalseNegativeRemoval', **settings))


def test_an_anchor_without_a_negative_left_has_a_finite_loss() -> None:
    labels = dict(gt_label=torch.zeros(3, dtype=torch.int64))
    features: Tensor = WORKED.clone().requires_grad_()
    result = NTXentHead(0.5, removal=dict(rule='oracle')).loss(features, labels)
    result['loss_contrast'].backward()
    assert float(result['loss_contrast'].detach()) == 0 and float(features.grad.abs().max()) < 1e-6
