"""OpenCon: worked values, a loop, ranks, resume, its ramp, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.models.heads import OpenConHead
from mochi_mm.structures import DataFacts
from tests.ranks import run_ranks

ROWS = torch.tensor(
    [
        [[1.0, 0.0], [0.8, 0.6]],
        [[0.0, 1.0], [0.28, 0.96]],
        [[0.6, 0.8], [0.96, 0.28]],
        [[-0.6, 0.8], [-0.8, 0.6]],
        [[-0.96, 0.28], [-1.0, 0.0]],
    ]
)
LABELS = torch.tensor([0, 1, -1, -1, -1])
PROTOTYPES = torch.tensor([[0.96, 0.28], [0.28, 0.96], [-0.8, 0.6], [-0.96, -0.28]])
NAMES = ('unlabeled', 'labeled', 'novel', 'prior')


def make(classes: int = 5, known: int = 2, dim: int = 6, **settings: Any) -> OpenConHead:
    return OpenConHead(classes, known, dim, **{**dict(novel_ramp=None), **settings})


def batch(images: int, seed: int = 0, views: int = 2) -> tuple[Tensor, dict[str, Tensor]]:
    """Raw embeddings; about half of the images have a label, the first one always."""
    generator = torch.Generator().manual_seed(100 * images + seed)
    features = torch.randn(images, views, 6, generator=generator)
    labels = torch.randint(-2, 2, (images,), generator=generator).clamp_min(-1)
    labels[0] = 1
    return features, dict(gt_label=labels)


def test_worked_values() -> None:
    head = make(4, 2, 2)
    head.prototypes.features.copy_(PROTOTYPES)
    found = {k: float(v) for k, v in head.loss(ROWS * 3, dict(gt_label=LABELS)).items()}
    values = [found[f'loss_{name}'] / w for name, w in zip(NAMES, head.weights, strict=True)]
    assert values == pytest.approx([0.677837, 0.244077, 1.013714, 0.250664], abs=1.5e-6)
    assert sum(found[f'loss_{name}'] for name in NAMES) == pytest.approx(0.840557, abs=1e-6)
    assert found['novelty_cut'] == pytest.approx(1.117209, abs=1e-6)
    assert found['share_novel'] == 1 and found['active_prototypes'] == 2
    expected = [[0.967489, 0.252912], [0.252912, 0.967489], [-0.805946, 0.591990], [-0.96, -0.28]]
    assert head.prototypes.features.tolist() == [pytest.approx(row, abs=1e-6) for row in expected]
    assert head.prototypes.count.tolist() == [1, 1, 2, 0]


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def contrast(rows: list[np.ndarray], classes: list[int], temperature: float) -> float:
    """SupCon among the rows, in a loop; 0 where there are none."""
    total = 0.0
    for i, row in enumerate(rows):
        logits = [float(row @ other) / temperature for other in rows]
        others = [j for j in range(len(rows)) if j != i]
        whole = math.log(sum(math.exp(logits[j]) for j in others))
        mates = [j for j in others if classes[j] == classes[i]]
        total += sum(whole - logits[j] for j in mates) / len(mates)
    return total / len(rows) if rows else 0.0


def loop(head: OpenConHead, features: Tensor, labels: list[int]) -> tuple[list[float], np.ndarray]:
    """The four terms without their weights, and the prototypes after the step."""
    rows = unit(features.double().numpy())  # (B, V, D)
    prototypes = head.prototypes.features.double().numpy().copy()
    known = head.num_known
    logits = rows[:, 0] @ prototypes.T / head.prototype_temperature
    pseudo = logits.argmax(1).tolist()
    standard = (logits - logits.mean(1, keepdims=True)) / logits.std(1, ddof=1, keepdims=True)
    score = standard[:, :known].max(1)
    labeled = [i for i, label in enumerate(labels) if label >= 0]
    unlabeled = [i for i, label in enumerate(labels) if label < 0]
    cut = np.quantile(score[labeled], head.cut_quantile)
    novel = [i for i in unlabeled if score[i] < cut]
    groups = (unlabeled, list(range(len(labels)))), (labeled, labels), (novel, pseudo)
    terms = []
    for (members, classes), temperature in zip(groups, head.temperatures, strict=True):
        views = [(row, classes[i]) for i in members for row in rows[i]]
        terms.append(contrast([v for v, _ in views], [c for _, c in views], temperature))
    prior = np.array([1 - head.labeled_share] * known + [1.0] * (head.num_classes - known))
    prior /= prior.sum()
    divergence = 0.0
    if unlabeled:
        shares = np.exp(logits - logits.max(1, keepdims=True))
        mean = (shares / shares.sum(1, keepdims=True))[unlabeled].mean(0).clip(1e-5)
        divergence = float((mean * np.log(mean / prior)).sum())
    decay = head.prototypes.ema_decay
    assert decay is not None
    for i, label in enumerate(labels):
        c = label if label >= 0 else (pseudo[i] if pseudo[i] >= known else -1)
        if c >= 0:
            prototypes[c] = unit(decay * prototypes[c] + (1 - decay) * rows[i, 0])
    return [*terms, divergence], prototypes


@pytest.mark.parametrize('settings', [dict(), dict(cut_quantile=0.8, labeled_share=0.2)])
@pytest.mark.parametrize(('images', 'views'), [(2, 2), (7, 2), (13, 3)])
def test_equals_the_loop(images: int, views: int, settings: dict[str, Any]) -> None:
    head = make(**settings)
    features, samples = batch(images, 1, views)
    expected, prototypes = loop(head, features, samples['gt_label'].tolist())
    losses = head.loss(features, samples)
    values = [float(losses[f'loss_{n}']) / w for n, w in zip(NAMES, head.weights, strict=True)]
    assert values == pytest.approx(expected, abs=2e-5, rel=1e-5)
    np.testing.assert_allclose(head.prototypes.features, prototypes, atol=1e-6)


def test_a_batch_without_unlabeled_or_novel_images() -> None:
    """Their terms are 0 and have a finite gradient."""
    head = make()
    features = torch.randn(3, 2, 6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = head.loss(features, dict(gt_label=torch.tensor([0, 1, 1])))
    assert float(losses['loss_unlabeled']) == float(losses['loss_novel']) == 0
    assert float(losses['loss_prior']) == 0
    sum(losses[f'loss_{name}'] for name in NAMES).backward()
    assert features.grad is not None and features.grad.isfinite().all()


def test_coinciding_prototypes_have_no_spread() -> None:
    head = make()
    head.prototypes.features.copy_(head.prototypes.features[:1].expand(5, 6))
    features, samples = batch(6)
    assert all(value.isfinite() for value in head.loss(features, samples).values())


def test_the_weight_of_the_novel_term_grows() -> None:
    head = make(novel_ramp=0.04)
    weights = []
    for epoch in range(5):
        head.set_epoch(epoch, 5)
        weights.append(head.novel_weight)
    assert weights == pytest.approx([0, 0.04, 0.08, 0.1, 0.1])
    assert make().novel_weight == 0.1


def steps(head: OpenConHead, share: Any) -> list[tuple[dict[str, Tensor], Tensor, Tensor]]:
    """Losses, gradients and prototypes of two steps."""
    found = []
    for seed, splits in enumerate([[4, 3], [1, 5]]):
        features, samples = batch(sum(splits), seed)
        rows = share(features, splits).clone().requires_grad_()
        labels = share(samples['gt_label'], splits)
        results = head.loss(rows, dict(gt_label=labels))
        sum(results[f'loss_{name}'] for name in NAMES).backward()
        assert rows.grad is not None
        values = {name: value.detach() for name, value in results.items()}
        found.append((values, rows.grad, head.prototypes.features.clone()))
    return found


def on_a_rank(rank: int) -> list[tuple[dict[str, Tensor], Tensor, Tensor]]:
    found = steps(make(), lambda rows, splits: rows.split(splits)[rank])
    for values, _, _ in found:
        for name in values:
            values[name] = values[name].double()
            dist.all_reduce(values[name])
            values[name] /= 2
    return found


def test_two_ranks_equal_one_process() -> None:
    ranks, whole = run_ranks(on_a_rank, 2), steps(make(), lambda rows, splits: rows)
    for step, (values, gradient, prototypes) in enumerate(whole):
        for name, value in values.items():
            assert float(ranks[0][step][0][name]) == pytest.approx(float(value), abs=1e-6), name
        joined = torch.cat([found[step][1] for found in ranks]) / 2
        torch.testing.assert_close(joined, gradient, rtol=1e-5, atol=1e-6)
        for found in ranks:
            torch.testing.assert_close(found[step][2], prototypes, rtol=0, atol=1e-6)


def test_a_resume_goes_on_with_the_same_bits() -> None:
    head, other = make(), make(init_seed=3)
    for seed in range(2):
        head.loss(*batch(6, seed))
    other.load_state_dict(head.state_dict())
    first, second = (h.loss(*batch(6, 9)) for h in (head, other))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_it_classifies_by_the_nearest_prototype() -> None:
    head = make()
    features = torch.randn(7, 6, generator=torch.Generator().manual_seed(2))
    nearest = torch.cdist(torch.nn.functional.normalize(features), head.prototypes.features).argmin(
        1
    )
    assert torch.equal(head.predict(features).argmax(1), nearest)


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        (dict(num_classes=3, num_known=3), 'num_known is 3 and num_classes is 3'),
        (dict(num_known=0), 'num_known is 0'),
        (dict(labeled_share=1.0), 'labeled_share is 1.0; expected a share inside'),
        (dict(labeled_share=0), 'labeled_share is 0;'),
        (dict(cut_quantile=True), 'cut_quantile is True'),
        (dict(weights=(1, 1, 1)), 'expected 3 temperatures .* and 4 weights'),
        (dict(weights=(1, 1, 1, -1)), 'weights is -1'),
        (dict(temperatures=(0.1, 0.1, 0)), 'temperature'),
        (dict(novel_ramp=0), 'novel_ramp is 0'),
        (dict(memory=dict(type='FeatureQueue', length=4, dim=4)), 'OpenConHead needs none'),
        (dict(mixing=dict(type='HardNegativeMixing')), 'OpenConHead takes none'),
        (dict(negatives=dict(type='NegativeEstimator')), 'no sum over negatives'),
    ],
)
def test_settings_that_it_refuses(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OpenConHead(**{**dict(num_classes=4, num_known=2), **settings})


def test_data_that_it_refuses() -> None:
    def facts(counts: list[int]) -> DataFacts:
        return DataFacts(9, (), torch.tensor(counts), torch.zeros(9, dtype=torch.bool))

    for counts in ([2, 3, 0, 0, 0], [2, 3, 0, 0], [2, 3, 0, 0, 0, 0]):
        make().set_data(facts(counts))  # 5 prototypes are an estimate of the number of classes
    for counts in ([2, 0, 0, 0, 0], [2, 3, 1, 0, 0]):
        with pytest.raises(ValueError, match='made for 2 known classes, the first ones'):
            make().set_data(facts(counts))
    features, _ = batch(4)
    with pytest.raises(ValueError, match='needs gt_label in the data samples'):
        make().loss(features)
    with pytest.raises(ValueError, match='label 3 but OpenConHead with known classes has 2'):
        make().loss(features, dict(gt_label=torch.tensor([0, 3, -1, -1])))
    with pytest.raises(ValueError, match='none of the 4 images of this batch has a label'):
        make().loss(features, dict(gt_label=torch.full((4,), -1)))
