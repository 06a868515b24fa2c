"""FNC in the batch: worked values, loops, ranks."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.heads import FalseNegativeFinder, FalseNegativeHead, NTXentHead
from tests.ranks import run_ranks
from tests.reference import dot, random_units, unit

# Three views of three images, one view a line.
WORKED = [
    [[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]],
    [[0.96, 0.28], [0.28, 0.96], [-0.8, 0.6]],
    [[0.8, 0.6], [0.0, 1.0], [-0.96, -0.28]],
]


def head(
    strategy: str,
    support: str = 'full',
    temperature: float = 0.5,
    weight: float = 1.0,
    **kwargs: Any,
) -> Any:
    settings: dict[str, Any] = dict(num_support=1, top_k=2, threshold=0.7)
    found = FalseNegativeFinder(support=support, **{**settings, **kwargs})
    return FalseNegativeHead(found, strategy, temperature, weight)


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
    features = torch.tensor(WORKED).transpose(0, 1)
    loss = head(strategy, support, aggregate=aggregate).loss(features)['loss_contrast']
    assert float(loss) == pytest.approx(value, abs=1e-6)


def test_other_codes_add_the_views_and_divide_by_half_their_number() -> None:
    features = torch.tensor(WORKED).transpose(0, 1)
    loss = head('attract', weight=2.0).loss(features)['loss_contrast']
    assert float(loss) == pytest.approx(2.858413, abs=1e-6)


def test_worked_detection() -> None:
    """As (view, image) of image 0, 1 and 2."""

    def found(support: str, aggregate: str) -> list[set[tuple[int, int]]]:
        one = head('attract', support, aggregate=aggregate)
        pairs = one.pairs(torch.tensor(WORKED).transpose(0, 1))
        views = pairs.num_views
        rows = [pairs.found[views * image].nonzero().flatten().tolist() for image in range(3)]
        return [{(j % views, j // views) for j in row} for row in rows]

    assert found('full', 'max') == [{(0, 1), (1, 1)}, {(2, 0), (1, 0)}, set()]
    assert found('full', 'mean') == [{(0, 1)}, {(2, 0)}, set()]
    assert found('score', 'max') == [{(0, 1), (1, 1)}, set(), set()]


def loss_loop(one: Any, features: torch.Tensor) -> float:
    """The mean over anchors, by the definition."""
    images, total_views, _ = features.shape
    z = {
        (i, v): unit(features[i, v].detach().double())
        for i in range(images)
        for v in range(total_views)
    }
    full = one.finder.support == 'full'
    support = one.finder.num_support
    views = range(total_views if full else total_views - support)
    scoring = range(total_views) if full else range(total_views - support, total_views)
    losses = []
    for i in range(images):
        scores = {}
        for c in ((j, v) for j in range(images) for v in views if j != i):
            cosines = [dot(z[i, s], z[c]) for s in scoring]
            scores[c] = (
                max(cosines) if one.finder.aggregate == 'max' else sum(cosines) / len(cosines)
            )
        ranked = sorted(scores, key=lambda c: -scores[c])
        found = {
            c
            for c in ranked[: one.finder.top_k]
            if one.finder.threshold is None or scores[c] > one.finder.threshold
        }
        for v in views:
            others = [(j, w) for j in range(images) for w in views if (j, w) != (i, v)]
            if one.strategy == 'eliminate':
                others = [c for c in others if c not in found]
            logit = {c: dot(z[i, v], z[c]) / one.temperature for c in others}
            positives = [c for c in others if c[0] == i]
            if one.strategy == 'attract':
                positives += sorted(found)
            total = math.log(sum(map(math.exp, logit.values())))
            losses.append(total - sum(logit[c] for c in positives) / len(positives))
    return sum(losses) / len(losses)


@pytest.mark.parametrize('strategy', ['attract', 'eliminate', 'none'])
@pytest.mark.parametrize('support', ['full', 'score'])
@pytest.mark.parametrize(
    ('images', 'views', 'settings'),
    [
        (2, 3, dict(num_support=1, top_k=1, threshold=None)),
        (5, 5, dict(num_support=3, top_k=100, threshold=0.2)),
        (7, 4, dict(num_support=2, top_k=None, threshold=0.1, aggregate='mean')),
    ],
)
def test_loss_equals_the_loop(
    strategy: str, support: str, images: int, views: int, settings: dict[str, Any]
) -> None:
    one = head(strategy, support, 0.3, **settings)
    features = 3 * random_units(images * views, 6, 11).float().unflatten(0, (images, views))
    expected = loss_loop(one, features)
    assert float(one.loss(features)['loss_contrast']) == pytest.approx(expected, abs=1e-6)


def test_none_is_nt_xent() -> None:
    features = random_units(12, 6, 1).float().unflatten(0, (4, 3))
    plain = NTXentHead(0.5).loss(features)['loss_contrast']
    assert torch.equal(head('none').loss(features)['loss_contrast'], plain)


KINDS: dict[str, dict[str, Any]] = {
    f'{strategy}, {support}, {aggregate}': dict(
        strategy=strategy, support=support, aggregate=aggregate, threshold=0.2
    )
    for strategy in ('attract', 'eliminate')
    for support in ('full', 'score')
    for aggregate in ('max', 'mean')
}


def step(kind: str, features: torch.Tensor) -> dict[str, torch.Tensor]:
    leaf = features.clone().requires_grad_()
    result = head(**KINDS[kind]).loss(leaf)
    result['loss_contrast'].backward()
    assert leaf.grad is not None
    loss = result['loss_contrast'].detach()
    return dict(loss=loss, grad=leaf.grad, found=result['false_negatives'])


def several(splits: list[int]) -> torch.Tensor:
    return random_units(sum(splits) * 3, 6, 4).float().unflatten(0, (-1, 3))


def on_a_rank(rank: int, splits: list[int]) -> dict[str, dict[str, torch.Tensor]]:
    own = several(splits).split(splits)[rank]
    results = {kind: step(kind, own) for kind in KINDS}
    for result in results.values():
        dist.all_reduce(result['loss'])
    return results


@pytest.mark.parametrize('splits', [[3, 3], [4, 1]])
def test_two_ranks_equal_one_process(splits: list[int]) -> None:
    results = run_ranks(on_a_rank, 2, splits)
    for kind in KINDS:
        whole = step(kind, several(splits))
        assert float(whole['found']) > 0, kind
        torch.testing.assert_close(results[0][kind]['loss'] / 2, whole['loss'], msg=kind)
        joined = torch.cat([result[kind]['grad'] for result in results]) / 2
        torch.testing.assert_close(joined, whole['grad'], rtol=1e-5, atol=1e-7, msg=kind)


def test_too_few_views() -> None:
    one = head('attract', num_support=8)
    assert one.min_views == 10
    with pytest.raises(ValueError, match='at least 10 views'):
        one.loss(torch.ones(4, 3, 6))
    with pytest.raises(ValueError, match='temperature is -1'):
        head('attract', temperature=-1)
