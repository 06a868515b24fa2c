"""Learned thresholds: worked values, loops over anchors and images, epochs, what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.finders import NegativeThreshold
from mochi_mm.models.heads import ContrastiveHead, ESupConHead, NTXentHead, SoftContrastiveHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.models.heads.toy import memory, mixing, pairs, synthetic
from tests.reference import dot, random_units, unit

# Two views of three images, one view a line.
FIRST = [(1.0, 0.0), (0.8, 0.6), (0.0, 1.0)]
SECOND = [(0.96, 0.28), (0.6, 0.8), (-0.6, 0.8)]
WORKED = torch.tensor([FIRST, SECOND]).transpose(0, 1)
IDS = dict(sample_idx=torch.arange(3))


def bounded(value: float, alpha: float = 0.3, rescale: bool = True, **kwargs: Any) -> Any:
    """A part whose thresholds have a value and hardly move."""
    part = NegativeThreshold(3, alpha, lr=1e-9, rescale=rescale, **kwargs)
    part.table.threshold.fill_(value)  # type: ignore[operator, union-attr]
    return part


def test_worked_thresholds() -> None:
    head = NTXentHead(0.2, threshold=NegativeThreshold(3, 0.3, lr=0.05, start_epoch=70))
    expected = [0.969125, 0.927308, 0.880138, 0.828747, 0.773996, 0.729252]
    for epoch, value in enumerate(expected, start=70):
        head.set_epoch(epoch, 200)
        head.loss(WORKED, IDS)
        assert float(head.threshold.table.threshold[0]) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ('value', 'rescale', 'expected'),
    [(1.0, True, 1.333747), (0.7, True, 0.493095), (0.7, False, 0.335604)],
)
def test_worked_losses_in_the_batch(value: float, rescale: bool, expected: float) -> None:
    """The sum of the two directions: twice the mean over anchors."""
    head = NTXentHead(0.2, weight=2.0, threshold=bounded(value, rescale=rescale))
    assert float(head.loss(WORKED, IDS)['loss_contrast']) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ('value', 'rescale', 'expected'),
    [
        (1.0, True, 1.720194),
        (0.9365, False, 1.211963),
        (0.9365, True, 1.422328),
        (0.7, False, 0.326563),
        (0.7, True, 0.572329),
    ],
)
def test_worked_losses_with_a_memory(value: float, rescale: bool, expected: float) -> None:
    keys = torch.tensor([(0.96, 0.28), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8)])
    queue = FeatureQueue(4, 2)
    queue.enqueue(keys, indices=torch.arange(4))
    head = ContrastiveHead(queue, 0.2, threshold=bounded(value, 0.25, rescale))
    query, key = torch.tensor([[0.8, 0.6]]), torch.tensor([[1.0, 0.0]])
    losses = head.loss(query, key, dict(sample_idx=torch.tensor([1])))
    assert float(losses['loss_contrast']) == pytest.approx(expected, abs=1e-6)


def stepped(state: tuple[float, float, float], g: float, epoch: int, lr: float) -> Any:
    """One step of Adam, by the definition."""
    bound, first, second = state
    first, second = 0.9 * first + 0.1 * g, 0.98 * second + 0.02 * g * g
    mean, square = first / (1 - 0.9 ** (epoch + 1)), second / (1 - 0.98 ** (epoch + 1))
    return min(1.0, max(-1.0, bound - lr * mean / (math.sqrt(square) + 1e-8))), first, second


def loop(
    rows: dict[int, list[Tensor]],
    own: dict[int, list[float]],
    negatives: dict[int, list[list[tuple[float, Tensor]]]],
    head: Any,
    states: dict[int, Any],
    epoch: int,
) -> tuple[float, dict[int, Any], int]:
    """Loss, thresholds after the step, number left out, over images with their anchors."""
    part, losses, after, left_out = head.threshold, [], {}, 0
    for image, anchors in rows.items():
        cosines = [c for per in negatives[image] for c, _ in per]
        share = sum(c > states[image][0] for c in cosines) / len(cosines)
        after[image] = stepped(states[image], part.alpha - share, epoch, part.lr)
        for a, anchor in enumerate(anchors):
            kept = [(c, row) for c, row in negatives[image][a] if c <= after[image][0]]
            left_out += len(negatives[image][a]) - len(kept)
            scale = len(negatives[image][a]) / max(len(kept), 1) if part.rescale else 1.0
            made: list[float] = []
            if head.mixing is not None and head.mixing.mixers and kept:
                hard = sorted(kept, key=lambda pair: -pair[0])[: head.mixing.num_hard]
                made = synthetic(anchor, [row for _, row in hard], head.mixing.mixers)
            t = head.temperature
            push = sum(math.exp(c / t) for c in own[image * 100 + a])
            push += scale * sum(math.exp(c / t) for c, _ in kept)
            push += sum(math.exp(c / t) for c in made)
            pull = sum(own[image * 100 + a]) / len(own[image * 100 + a]) / t
            losses.append(math.log(push) - pull)
    return sum(losses) / len(losses), after, left_out


def initial(part: Any, images: list[int]) -> dict[int, Any]:
    table = part.table
    table.threshold.copy_(torch.linspace(-0.3, 0.7, table.length))
    table.first_moment.copy_(torch.linspace(-0.1, 0.1, table.length))
    table.second_moment.copy_(torch.linspace(0.01, 0.1, table.length))
    columns = (table.threshold, table.first_moment, table.second_moment)
    return {i: tuple(float(column[i]) for column in columns) for i in images}


def check_table(part: Any, after: dict[int, Any]) -> None:
    for image, (bound, first, second) in after.items():
        assert float(part.table.threshold[image]) == pytest.approx(bound, abs=1e-6)
        assert float(part.table.first_moment[image]) == pytest.approx(first, abs=1e-6)
        assert float(part.table.second_moment[image]) == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize('rescale', [True, False])
@pytest.mark.parametrize(('images', 'views', 'mixes'), [(2, 2, False), (5, 3, False), (5, 2, True)])
def test_in_the_batch_equals_the_loop(images: int, views: int, mixes: bool, rescale: bool) -> None:
    part = NegativeThreshold(7, 0.2, lr=0.1, rescale=rescale)
    head = NTXentHead(0.3, threshold=part, mixing=mixing(3) if mixes else None)
    ids = [(3 * i + 1) % 7 for i in range(images)]
    states = initial(part, ids)
    head.set_epoch(4, 10)
    features = 3 * random_units(images * views, 6, 5).float().unflatten(0, (images, views))
    z = {i: [unit(row.double()) for row in features[n]] for n, i in enumerate(ids)}
    negatives = {
        i: [[(dot(a, b), b) for j in ids if j != i for b in z[j]] for a in z[i]] for i in ids
    }
    own = {
        i * 100 + v: [dot(a, b) for w, b in enumerate(z[i]) if w != v]
        for i in ids
        for v, a in enumerate(z[i])
    }
    expected, after, left_out = loop(z, own, negatives, head, states, 4)
    losses = head.loss(features, dict(sample_idx=torch.tensor(ids)))
    assert left_out > 0
    assert float(losses['loss_contrast']) == pytest.approx(expected, abs=3e-6)
    share = left_out / (images * views) ** 2
    assert float(losses['share_found']) == pytest.approx(share)
    check_table(part, after)


@pytest.mark.parametrize('mixes', [True, False])
def test_with_a_memory_equals_the_loop(mixes: bool) -> None:
    """Rows that hold no key count nowhere; older keys of the image are masked."""
    part = NegativeThreshold(11, 0.2, lr=0.1)
    head = ContrastiveHead(
        memory(), 0.2, threshold=part, mask_own_keys=True, mixing=mixing(2) if mixes else None
    )
    queries, keys, samples = pairs(4)
    held, bank = int(head.memory.count), head.memory.features.double()
    assert held < len(bank)
    indices, states = head.memory.indices.tolist(), initial(part, list(range(4)))
    head.set_epoch(2, 10)
    z = {i: [unit(queries[0][i].double())] for i in range(4)}
    negatives = {
        i: [[(dot(z[i][0], bank[j]), bank[j]) for j in range(held) if indices[j] != i]]
        for i in range(4)
    }
    own = {i * 100: [dot(z[i][0], unit(keys[1][i].double()))] for i in range(4)}
    random = {
        i: sum(math.exp(dot(z[i][0], bank[j]) / 0.2) for j in range(held, len(bank)))
        for i in range(4)
    }
    _, after, left_out = loop(z, own, negatives, head, states, 2)
    losses = head.loss_views({0: queries[0]}, {1: keys[1]}, samples)
    assert left_out > 0 and float(losses['share_found']) == pytest.approx(left_out / 4 / len(bank))
    check_table(part, after)
    if not mixes:
        expected = []
        for i in range(4):
            one, _, _ = loop({i: z[i]}, own, negatives, head, states, 2)
            pull = own[i * 100][0] / 0.2
            expected.append(math.log(math.exp(one + pull) + random[i]) - pull)
        value = float(losses['loss_contrast'])
        assert value == pytest.approx(sum(expected) / 4, abs=3e-6)


def test_before_its_epochs_the_objective_is_the_plain_one_bit_for_bit() -> None:
    part = NegativeThreshold(3, 0.3, lr=0.5, start_epoch=4, update_epoch=2)
    head, plain = NTXentHead(0.2, threshold=part), NTXentHead(0.2)
    expected = plain.loss(WORKED)['loss_contrast']
    moved = []
    for epoch in (1, 3, 4):
        head.set_epoch(epoch, 5)
        losses = head.loss(WORKED, IDS)
        moved.append(bool((part.table.threshold < 1).all()))  # type: ignore[operator, union-attr]
        assert torch.equal(losses['loss_contrast'], expected) == (epoch < 4)
        assert ('share_found' in losses) == (epoch == 4)
    assert moved == [False, True, True]


def test_the_threshold_settles_at_the_quantile() -> None:
    """A tenth of 400 fixed candidates lies above it in the end, within the noise of its steps."""
    head = ContrastiveHead(FeatureQueue(400, 8), 0.2, threshold=NegativeThreshold(2, 0.1, lr=0.01))
    head.memory.enqueue(random_units(400, 8, 1).float())
    query = random_units(2, 8, 2).float()
    for epoch in range(250):
        head.set_epoch(epoch, 250)
        step = head.compute(Views({0: query}, {1: query}, dict(sample_idx=torch.arange(2))))
        step.writes[-1]()
    assert float(step.statistics['share_found']) == pytest.approx(0.1, abs=0.03)


def test_what_makes_no_sense_is_refused() -> None:
    for settings, message in (
        (dict(alpha=1.0), r'alpha is 1\.0'),
        (dict(alpha=0), 'alpha is 0'),
        (dict(lr=0), 'lr is 0'),
        (dict(start_epoch=2, update_epoch=3), 'update_epoch is 3 but start_epoch is 2'),
        (dict(start_epoch=-1), 'start_epoch is -1'),
    ):
        with pytest.raises(ValueError, match=message):
            NegativeThreshold(4, **settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='nothing would ever be left out'):
        NegativeThreshold(4, start_epoch=5).set_epoch(0, 5)

    class Foreign(ESupConHead):
        anchors_are_images = True  # and they are not

    part = dict(length=4)
    with pytest.raises(ValueError, match='no sum over negatives'):
        SoftContrastiveHead(memory(), threshold=part)
    with pytest.raises(ValueError, match='NegativeThreshold needs sample_idx'):
        NTXentHead(threshold=part).loss(WORKED)
    samples = dict(gt_label=torch.arange(3), sample_idx=torch.arange(3))
    with pytest.raises(ValueError, match='anchors that are none'):
        Foreign(4, 2, threshold=part).loss(WORKED, samples)


def test_thresholds_of_other_images_are_refused() -> None:
    part = NegativeThreshold(4)
    part.bind(7)
    loaded = NegativeThreshold(4)
    loaded.load_state_dict(part.state_dict())
    loaded.bind(7)
    with pytest.raises(ValueError, match=r'thresholds are of another data set .* 7, .* images 8'):
        loaded.bind(8)
