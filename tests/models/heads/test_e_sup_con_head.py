"""ESupCon: worked values, a slow loop, what it becomes without prototypes or samples, ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.models.heads import ESupConHead, SupConHead
from mochi_mm.structures import DataFacts, Views
from tests.ranks import run_ranks
from tests.reference import contrast_loop, dot, random_units, unit

CLASSES, DIM = 5, 6
ROWS = torch.tensor([(1.0, 0.0), (0.8, 0.6), (0.0, 1.0), (-0.6, 0.8)])
PROTOTYPES = torch.tensor([(0.96, 0.28), (-0.28, 0.96)])
LABELS = torch.tensor([0, 0, 1, 1])


def make(**settings: Any) -> ESupConHead:
    head = ESupConHead(CLASSES, DIM, temperature=0.3, **settings)
    with torch.no_grad():  # of any length
        head.prototypes.weight.copy_(3 * random_units(CLASSES, DIM, 9))
    return head


def worked() -> ESupConHead:
    head = ESupConHead(2, 2, temperature=0.5)
    with torch.no_grad():
        head.prototypes.weight.copy_(2 * PROTOTYPES)
    return head


def batch(size: int, seed: int = 0, views: int = 2) -> tuple[Tensor, dict[str, Tensor]]:
    rows = 2 * random_units(size * views, DIM, seed).float().view(size, views, DIM)
    return rows, dict(gt_label=(torch.arange(size) + seed) % 4)  # no image of class 4


def loop(head: ESupConHead, features: Tensor, labels: list[int]) -> float:
    """The mean over the anchors that something attracts, by the definition, in float64."""
    samples = [
        (unit(row.detach().double()), y) for b, y in enumerate(labels) for row in features[b]
    ]
    weight = head.prototypes.weight
    prototypes = [(unit(row.detach().double()), c) for c, row in enumerate(weight)]
    losses = []
    for i, (row, label) in enumerate([*samples, *prototypes]):
        number = i - len(samples)  # of a prototype
        pairs = [
            (dot(row, other), 1.0 if y == label else 0.0)
            for j, (other, y) in enumerate(samples)
            if j != i
        ]
        for c, (other, y) in enumerate(prototypes):
            if number < 0:
                pairs.append((dot(row, other), head.prototype_weight * (y == label)))
            elif head.prototype_negatives and c != number:
                pairs.append((dot(row, other), 0.0))
        logits, weights = [c / head.temperature for c, _ in pairs], [w for _, w in pairs]
        if sum(weights):
            losses.append(contrast_loop(logits, weights, [0.0] * len(pairs)))
    return sum(losses) / len(losses)


def test_worked_values() -> None:
    head = worked()
    step = head.compute(Views({0: ROWS}, samples=dict(gt_label=LABELS)))
    losses = head.objective(step.anchors, step.blocks)
    assert float(losses[:4].mean()) == pytest.approx(0.991545, abs=1e-6)
    assert float(losses[4:].mean()) == pytest.approx(0.860233, abs=1e-6)
    assert float(step.losses['loss_contrast']) == pytest.approx(0.947775, abs=1e-6)
    assert float(F.nll_loss(head.predict(ROWS).log(), LABELS)) == pytest.approx(0.163246, abs=1e-6)
    assert float(step.statistics['acc_top1']) == 1


@pytest.mark.parametrize(
    'settings',
    [dict(), dict(prototype_weight=4.0), dict(prototype_negatives=True), dict(weight=1.0)],
)
@pytest.mark.parametrize(('size', 'views'), [(2, 1), (3, 2), (7, 2), (5, 3)])
def test_equals_the_loop(settings: dict[str, Any], size: int, views: int) -> None:
    head = make(**settings)
    features, samples = batch(size, 1, views)
    expected = loop(head, features, samples['gt_label'].tolist())
    loss = head.loss(features, samples)['loss_contrast']
    assert float(loss) == pytest.approx(expected, abs=1e-6, rel=1e-6)


def test_without_prototypes_it_is_supcon() -> None:
    """The samples among themselves: their rows of the block of the batch."""
    features, samples = batch(6)
    step = make().compute(Views(dict(enumerate(features.unbind(1))), samples=samples))
    block, count = step.block('batch'), 12
    masks = {name: block.need(name)[:count] for name in ('similarity', 'pull', 'dropped')}
    alone = contrast_blocks([block.but(**masks)], 0.3).mean()
    plain = SupConHead(temperature=0.3).loss(features, samples)['loss_contrast']
    torch.testing.assert_close(alone, plain)


def test_without_samples_it_is_the_cross_entropy_of_cosines() -> None:
    """One sample a class, and prototypes as the only candidates."""
    head = make()
    features, samples = batch(4, views=1)
    step = head.compute(Views({0: features[:, 0]}, samples=samples))
    found = head.objective(step.anchors, step.blocks[1:])[:4].mean()
    logits = F.normalize(features[:, 0], dim=1) @ F.normalize(head.prototypes.weight, dim=1).T / 0.3
    torch.testing.assert_close(found, F.cross_entropy(logits, samples['gt_label']))
    torch.testing.assert_close(head.predict(features[:, 0]), logits.softmax(1))


def test_samples_and_prototypes_learn_from_each_other() -> None:
    head = make()
    features, samples = batch(6)
    optimizer = torch.optim.SGD([features.requires_grad_(), *head.parameters()], lr=0.3)
    for step in range(60):
        optimizer.zero_grad()
        losses = head.loss(features, samples)
        losses['loss_contrast'].backward()
        assert head.prototypes.weight.grad.abs().sum(1).min() > 0, step  # of absent classes too
        optimizer.step()
    assert float(losses['acc_top1']) == 1
    predicted = head.predict(features.flatten(0, 1)).argmax(1)
    assert torch.equal(predicted, samples['gt_label'].repeat_interleave(2))


def test_the_accuracy_counts_samples_alone() -> None:
    for head in (make(), make(prototype_negatives=True)):
        features, samples = batch(7)
        right = head.predict(features.flatten(0, 1)).argmax(1)
        right = right == samples['gt_label'].repeat_interleave(2)
        found = head.loss(features, samples)['acc_top1']
        assert float(found) == pytest.approx(float(right.float().mean()))


SPLITS = [[1, 1], [4, 1], [3, 3]]


def trained(head: ESupConHead, share: Any, mean: Any) -> dict[str, list[Tensor]]:
    """Losses, gradients of prototypes and of features after each of a few steps of SGD."""
    found: dict[str, list[Tensor]] = dict(losses=[], prototypes=[], features=[])
    for seed, splits in enumerate(SPLITS):
        features, samples = batch(sum(splits), seed)
        rows = share(features, splits).clone().requires_grad_()
        labels = share(samples['gt_label'], splits)
        head.zero_grad()
        loss = head.loss(rows, dict(gt_label=labels))['loss_contrast']
        loss.backward()
        weight = head.prototypes.weight
        weight.grad = mean(weight.grad)
        torch.optim.SGD([weight], lr=0.5).step()
        found['losses'].append(mean(loss.detach()))
        found['prototypes'].append(weight.detach().clone())
        found['features'].append(rows.grad)
    return found


def on_a_rank(rank: int) -> dict[str, list[Tensor]]:
    def mean(value: Tensor) -> Tensor:
        value = value.clone()
        dist.all_reduce(value)
        return value / 2

    return trained(make(), lambda rows, splits: rows.split(splits)[rank], mean)


def test_two_ranks_equal_one_process() -> None:
    """Every prototype is an anchor once, whatever the number of ranks."""
    ranks = run_ranks(on_a_rank, 2)
    whole = trained(make(), lambda rows, splits: rows, lambda value: value)
    for step in range(len(SPLITS)):
        for name in ('losses', 'prototypes'):
            for found in ranks:
                torch.testing.assert_close(
                    found[name][step], whole[name][step], rtol=1e-5, atol=1e-6
                )
        # What data-parallel training averages over the ranks.
        joined = torch.cat([found['features'][step] for found in ranks]) / 2
        torch.testing.assert_close(joined, whole['features'][step], rtol=1e-5, atol=1e-6)


def test_a_resume_goes_on_with_the_same_bits() -> None:
    head, other = make(), ESupConHead(CLASSES, DIM, temperature=0.3, init_seed=4)
    for seed in range(2):
        loss = head.loss(*batch(5, seed))['loss_contrast']
        loss.backward()
        torch.optim.SGD(head.parameters(), lr=0.3).step()
    other.load_state_dict(head.state_dict())
    results = [h.loss(*batch(5, 7)) for h in (head, other)]
    for name, value in results[0].items():
        assert torch.equal(value, results[1][name]), name


def test_what_it_refuses() -> None:
    facts = DataFacts(6, 'abc', torch.tensor([3, 0, 3]), torch.ones(6).bool())
    for prototypes in (2, 5):
        with pytest.raises(
            ValueError, match=f'with {prototypes} prototypes is made for .* training set has 3'
        ):
            ESupConHead(prototypes, DIM).set_data(facts)
    with pytest.raises(ValueError, match=r'1 of the 3 classes have no image .* class 1 \(b\)'):
        ESupConHead(3, DIM).set_data(facts)
    features, samples = batch(4)
    with pytest.raises(ValueError, match='label 5 but ESupConHead has 5 classes'):
        make().loss(features, dict(gt_label=samples['gt_label'] + 2))
    with pytest.raises(ValueError, match='ESupConHead num_classes is 0'):
        ESupConHead(0)
    with pytest.raises(ValueError, match='prototype_weight is 0'):
        ESupConHead(3, prototype_weight=0)
    with pytest.raises(ValueError, match='ESupConHead needs none'):
        ESupConHead(3, memory=dict(type='FeatureQueue', length=4, dim=4))
