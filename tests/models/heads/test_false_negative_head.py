"""FNC in the batch and with a memory: worked values, loops, what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.finders import FalseNegativeFinder
from mochi_mm.models.heads import FalseNegativeHead, NTXentHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.structures import Views
from tests.models.heads.toy import (
    DIM,
    LENGTH,
    Roles,
    finder,
    memory,
    mixing,
    pairs,
    pairs_loop,
    synthetic,
)
from tests.reference import dot, random_units, unit

# Three views of three images, one view a line.
WORKED = [
    [[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]],
    [[0.96, 0.28], [0.28, 0.96], [-0.8, 0.6]],
    [[0.8, 0.6], [0.0, 1.0], [-0.96, -0.28]],
]
FEATURES = torch.tensor(WORKED).transpose(0, 1)


def head(
    strategy: str, support: str = 'full', temperature: float = 0.5, part: Any = None, **kwargs: Any
) -> Any:
    settings: dict[str, Any] = dict(num_support=1, top_k=2, threshold=0.7)
    found = FalseNegativeFinder(support=support, **{**settings, **kwargs})
    return FalseNegativeHead(found, strategy, temperature, mixing=part)


@pytest.mark.parametrize(
    ('strategy', 'support', 'aggregate', 'value'),
    [
        ('attract', 'full', 'max', 1.429207),
        ('eliminate', 'full', 'max', 0.999721),
        ('none', 'full', 'max', 1.272051),
        ('attract', 'full', 'mean', 1.321829),
        ('eliminate', 'full', 'mean', 1.119802),
        ('attract', 'score', 'max', 0.811122),
        ('eliminate', 'score', 'max', 0.419168),
        ('none', 'score', 'max', 0.630855),
    ],
)
def test_worked_values(strategy: str, support: str, aggregate: str, value: float) -> None:
    loss = head(strategy, support, aggregate=aggregate).loss(FEATURES)['loss_contrast']
    assert float(loss) == pytest.approx(value, abs=1e-6)


def test_other_codes_add_the_views_and_divide_by_half_their_number() -> None:
    one = FalseNegativeHead(head('attract').finder, 'attract', 0.5, weight=2.0)
    assert float(one.loss(FEATURES)['loss_contrast']) == pytest.approx(2.858413, abs=1e-6)


def test_worked_detection() -> None:
    """As (view, image) of image 0, 1 and 2; the same for all views of an image."""

    def found(support: str, aggregate: str) -> list[set[tuple[int, int]]]:
        step = head('attract', support, aggregate=aggregate).compute(
            Views(dict(enumerate(FEATURES.unbind(1))))
        )
        mask, views = step.block('batch').false_negative, step.anchors.num_views
        assert mask is not None
        for view in range(views):
            assert torch.equal(mask[view::views], mask[::views])
        rows = [row.nonzero().flatten().tolist() for row in mask[::views]]
        return [{(j % views, j // views) for j in row} for row in rows]

    assert found('full', 'max') == [{(0, 1), (1, 1)}, {(2, 0), (1, 0)}, set()]
    assert found('full', 'mean') == [{(0, 1)}, {(2, 0)}, set()]
    assert found('score', 'max') == [{(0, 1), (1, 1)}, set(), set()]


def nearest(finder: Any, scoring: list[Tensor], candidates: dict[Any, Tensor]) -> set[Any]:
    """The false negatives of one image, by the definition."""
    scores = {}
    for name, row in candidates.items():
        cosines = [dot(view, row) for view in scoring]
        scores[name] = max(cosines) if finder.aggregate == 'max' else sum(cosines) / len(cosines)
    ranked = sorted(scores, key=lambda name: -scores[name])[: finder.top_k]
    least = -2.0 if finder.threshold is None else finder.threshold
    return {name for name in ranked if scores[name] > least}


def batch_loop(one: Any, features: Tensor) -> float:
    """The mean over anchors, by the definition."""
    images, total_views, _ = features.shape
    full, support = one.finder.support == 'full', one.finder.num_support
    z = {(i, v): unit(features[i, v].double()) for i in range(images) for v in range(total_views)}
    views = range(total_views if full else total_views - support)
    scoring = range(total_views) if full else range(total_views - support, total_views)
    losses = []
    for i in range(images):
        others = {(j, v): z[j, v] for j in range(images) for v in views if j != i}
        found = nearest(one.finder, [z[i, s] for s in scoring], others)
        for v in views:
            kept = [(j, w) for j in range(images) for w in views if (j, w) != (i, v)]
            if one.strategy == 'eliminate':
                kept = [c for c in kept if c not in found]
            cosine = {c: dot(z[i, v], z[c]) for c in kept}
            pull = [c for c in kept if c[0] == i]
            if one.strategy == 'attract':
                pull += sorted(found)
            push = list(cosine.values())
            if one.mixing is not None:
                hard = sorted((c for c in kept if c not in pull), key=lambda c: -cosine[c])
                hard = hard[one.mixing.skip : one.mixing.skip + one.mixing.num_hard]
                push += synthetic(z[i, v], [z[c] for c in hard], one.mixing.mixers)
            total = math.log(sum(math.exp(c / one.temperature) for c in push))
            losses.append(total - sum(cosine[c] for c in pull) / len(pull) / one.temperature)
    return sum(losses) / len(losses)


@pytest.mark.parametrize('strategy', ['attract', 'eliminate', 'none'])
@pytest.mark.parametrize('support', ['full', 'score'])
@pytest.mark.parametrize(
    ('images', 'views', 'settings'),
    [
        (2, 3, dict(num_support=1, top_k=1, threshold=None)),
        (5, 5, dict(num_support=3, top_k=100, threshold=0.2)),
        (7, 4, dict(num_support=2, top_k=None, threshold=0.1, aggregate='mean')),
        (7, 4, dict(num_support=2, part=mixing(3, skip=1))),
    ],
)
def test_in_the_batch_equals_the_loop(
    strategy: str, support: str, images: int, views: int, settings: dict[str, Any]
) -> None:
    one = head(strategy, support, 0.3, **settings)
    features = 3 * random_units(images * views, 6, 11).float().unflatten(0, (images, views))
    expected = batch_loop(one, features)
    assert float(one.loss(features)['loss_contrast']) == pytest.approx(expected, abs=2e-6)


def test_none_is_nt_xent() -> None:
    features = random_units(12, 6, 1).float().unflatten(0, (4, 3))
    plain = NTXentHead(0.5).loss(features)['loss_contrast']
    assert torch.equal(head('none').loss(features)['loss_contrast'], plain)


WITH_MEMORY: dict[str, dict[str, Any]] = {
    'attract': dict(finder=finder()),
    'attract, scoring': dict(finder=finder('score')),
    'eliminate, mean': dict(finder=finder(aggregate='mean'), strategy='eliminate'),
    'none': dict(finder=finder(), strategy='none'),
    'attract, own masked': dict(finder=finder(threshold=None), mask_own_keys=True),
    'eliminate, own masked': dict(
        finder=finder(threshold=None), strategy='eliminate', mask_own_keys=True
    ),
    'attract, oracle': dict(finder=finder(threshold=None), oracle_loss=True),
    'attract, mixing': dict(finder=finder(threshold=None), mixing=mixing(3)),
    'eliminate, mixing, skip': dict(
        finder=finder(threshold=None), strategy='eliminate', mixing=mixing(3, skip=1)
    ),
    'none, mixing, oracle': dict(
        finder=finder(), strategy='none', mixing=mixing(3), oracle_mix=True
    ),
}


@pytest.mark.parametrize('size', [1, 3, 7])
@pytest.mark.parametrize('name', WITH_MEMORY)
def test_with_a_memory_equals_the_loop(name: str, size: int) -> None:
    """What the loss does not see never uses up top_k."""
    one = FalseNegativeHead(memory=memory(), **WITH_MEMORY[name])
    queries, keys, samples = pairs(size)
    bank, held = one.memory.features.double(), int(one.memory.count)
    labels, indices = one.memory.labels.tolist(), one.memory.indices.tolist()
    full = one.finder.support == 'full'

    def roles(image: int, own: list[Tensor]) -> Roles:
        if one.strategy == 'none':
            return {}, set(), set()
        hidden = set()
        if one.mask_own_keys:
            hidden |= {j for j in range(held) if indices[j] == int(samples['sample_idx'][image])}
        if one.oracle_loss:
            hidden |= {j for j in range(held) if labels[j] == int(samples['gt_label'][image])}
        scoring = [unit(keys[v][image].double()) for v in (range(3) if full else [2])]
        rows = {j: bank[j] for j in range(held) if j not in hidden}
        found = nearest(one.finder, scoring, rows)
        if one.strategy == 'attract':
            return dict.fromkeys(found, 1.0), set(), found
        return {}, found, found

    contrasted = [0, 1, 2] if full else [0, 1]
    expected = pairs_loop(
        one, queries, keys, samples, roles, lambda view: [[j for j in contrasted if j != view]]
    )
    result = one.loss_views(queries, keys, samples)
    assert float(result['loss_contrast']) == pytest.approx(expected, abs=1e-6)
    if size > 1 and one.strategy != 'none':
        assert 0 < float(result['false_negatives']) <= 2


def test_contrasted_keys_alone_are_enqueued() -> None:
    queries, keys, samples = pairs(3)
    for support, views in (('full', 3), ('score', 2)):
        one = FalseNegativeHead(finder(support), memory=FeatureQueue(20, DIM))
        one.loss_views(queries, keys, samples)
        stored = [torch.nn.functional.normalize(keys[i], dim=1) for i in range(views)]
        rows = torch.stack(stored, dim=1).flatten(0, 1)  # image by image
        torch.testing.assert_close(one.memory.features[: 3 * views], rows)
        assert int(one.memory.count) == 3 * views
        labels = samples['gt_label'].repeat_interleave(views)
        assert one.memory.labels[: 3 * views].tolist() == labels.tolist()


def test_rows_without_a_key_are_no_false_negatives() -> None:
    one = FalseNegativeHead(finder(threshold=None), memory=FeatureQueue(LENGTH, DIM))
    queries, keys, samples = pairs(3)
    assert float(one.loss_views(queries, keys, samples)['false_negatives']) == 0
    assert float(one.loss_views(queries, keys, samples)['false_negatives']) == 2


def test_views_that_only_score_have_no_gradient() -> None:
    views = {v: random_units(4, DIM, v).float().requires_grad_() for v in range(3)}
    FalseNegativeHead(finder('score')).loss_views(views)['loss_contrast'].backward()
    assert views[2].grad is None
    assert views[0].grad is not None and views[1].grad is not None


def test_what_it_refuses() -> None:
    one = head('attract', num_support=8)
    assert one.min_views == 10
    with pytest.raises(ValueError, match='at least 10 views'):
        one.loss(torch.ones(4, 3, 6))
    with pytest.raises(ValueError, match='temperature is -1'):
        head('attract', temperature=-1)
    with pytest.raises(ValueError, match="strategy is 'push'; expected one of attract, eliminate"):
        FalseNegativeHead(finder(), 'push')
    with pytest.raises(ValueError, match='FeatureQueue is no FalseNegativeFinder'):
        FalseNegativeHead(memory())


def test_bad_batches_leave_the_memory_alone() -> None:
    queries, keys, samples = pairs(3)
    queue = memory()
    before = queue.snapshot()
    one = FalseNegativeHead(finder(num_support=8), memory=queue)
    with pytest.raises(ValueError, match='got 3 views of each image, too few for 8 support views'):
        one.loss_views(queries, keys, samples)
    one = FalseNegativeHead(finder('score'), memory=queue)
    with pytest.raises(ValueError, match=r'views \[2\] are queries but their keys are not contr'):
        one.loss_views({2: queries[0]}, keys, samples)
    assert torch.equal(queue.features, before)
