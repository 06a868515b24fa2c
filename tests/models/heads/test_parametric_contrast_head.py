"""PaCo and GPaCo: worked values, a slow loop, ranks, the queue, what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.models.functional.balanced_softmax import balanced_softmax
from mochi_mm.models.heads import ParametricContrastHead
from mochi_mm.models.memories import FeatureQueue, SampleTable
from mochi_mm.structures import Views
from tests.models.heads.toy import mixing
from tests.ranks import run_ranks
from tests.reference import contrast_loop, dot, random_units, unit

CLASSES, WIDTH, DIM, LENGTH = 3, 5, 6, 11
COUNTS = [60, 30, 10]
Step = tuple[dict[int, Tensor], dict[int, Tensor], dict[str, Tensor], dict[int, Tensor]]

# The worked example: two images, two keys in the queue.
QUERY, KEY = torch.eye(2), torch.tensor([(0.8, 0.6), (0.6, 0.8)])
FEATURES = torch.eye(4)
CENTERS = torch.tensor([(2.0, 0.5, 1.0, 0.0), (0.0, 0.5, -1.0, 1.0)])  # logits of the four rows


def worked(**settings: Any) -> ParametricContrastHead:
    queue = FeatureQueue(2, 2)
    queue.enqueue(torch.tensor([(0.96, 0.28), (-0.6, 0.8)]), torch.tensor([0, 1]))
    settings = {'class_counts': [10, 2], **settings}
    head = ParametricContrastHead(queue, 2, 4, temperature=0.2, **settings)
    head.fc.weight.data.copy_(CENTERS)
    head.fc.bias.data.zero_()
    return head


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        (dict(), 4.493403),
        (dict(class_counts=None), 3.607165),
        (dict(alpha=0, gamma=0), 0.909233),
        (dict(anchor_views='both'), 4.899184),
        (dict(anchor_views='both', class_counts=None, label_smoothing=0.1), 4.124027),
        (dict(weight=2.0), 2 * 4.493403),
        (dict(alpha=0.1, beta=2.0), 4.493403),  # beta only matters relative to alpha
    ],
)
def test_worked_values(settings: dict[str, Any], expected: float) -> None:
    head, samples = worked(**settings), dict(gt_label=torch.tensor([0, 1]))
    if head.anchor_views == 'both':
        step = ({0: QUERY, 1: KEY}, {}, samples, {0: FEATURES[:2], 1: FEATURES[2:]})
    else:
        step = ({0: QUERY}, {1: KEY}, samples, {0: FEATURES[:2]})
    loss = float(head.loss_views(*step)['loss_contrast'].detach())
    assert loss == pytest.approx(expected, abs=1e-6, rel=2e-7)


SETTINGS: dict[str, dict[str, Any]] = {
    'paco': dict(),
    'paco, gamma': dict(gamma=0.4, beta=0.7),
    'paco, no samples': dict(alpha=0, gamma=0),
    'paco, balanced': dict(class_counts=None),
    'paco, own keys masked': dict(mask_own_keys=True),
    'gpaco': dict(anchor_views='both'),
    'gpaco, smoothed': dict(anchor_views='both', label_smoothing=0.2, gamma=2.0),
}


def make(fill: int = 8, **settings: Any) -> ParametricContrastHead:
    """A head with a queue of eleven rows, the first of which hold keys."""
    queue = FeatureQueue(LENGTH, DIM)
    # Not by enqueue, which would gather the rows of all ranks.
    queue.features[:fill] = random_units(LENGTH, DIM, 3).float()[:fill]
    queue.labels[:fill] = torch.arange(fill) % CLASSES
    queue.indices[:fill] = torch.arange(fill)
    queue.count.fill_(fill)
    queue.pointer.fill_(fill % LENGTH)
    settings = {'class_counts': COUNTS, 'alpha': 0.3, **settings}
    torch.manual_seed(0)
    return ParametricContrastHead(queue, CLASSES, WIDTH, **settings)


def step_of(head: ParametricContrastHead, size: int, seed: int = 0) -> Step:
    """A batch as the head takes it, raw embeddings."""
    generator = torch.Generator().manual_seed(100 * seed + size)
    rows = [torch.randn(size, DIM, generator=generator) for _ in range(2)]
    pooled = [torch.randn(size, WIDTH, generator=generator) for _ in range(2)]
    samples = dict(gt_label=torch.arange(size) % CLASSES, sample_idx=torch.arange(size) + 2)
    if head.anchor_views == 'both':
        return dict(enumerate(rows)), {}, samples, dict(enumerate(pooled))
    return {0: rows[0]}, {1: rows[1]}, samples, {0: pooled[0]}


def loop(head: ParametricContrastHead, step: Step) -> float:
    """The mean over the anchors by the definition, in float64."""
    online, target, samples, features = step
    labels, own = samples['gt_label'].tolist(), samples['sample_idx'].tolist()
    prior = [0.0 if head.class_counts.equal else math.log(n / sum(COUNTS)) for n in COUNTS]
    rows = [
        (view, b, unit(embedding[b].double()))
        for view, embedding in {**online, **target}.items()
        for b in range(len(embedding))
    ]
    queue = head.memory
    held = [j for j in range(LENGTH) if j < int(queue.count)]
    log_gamma = math.log(head.gamma) if head.gamma else -math.inf
    losses = []
    for view, b, anchor in rows:
        if view not in online:
            continue
        logits = head.fc.weight.double() @ features[view][b].double() + head.fc.bias.double()
        values = [float(x) + p for x, p in zip(logits.tolist(), prior, strict=True)]
        smooth = head.label_smoothing
        weights = [
            head.beta * ((1 - smooth) if c == labels[b] else smooth / (CLASSES - 1))
            for c in range(CLASSES)
        ]
        bias = [0.0] * CLASSES
        samples_seen = [(r, labels[k]) for v, k, r in rows if (v, k) != (view, b)]
        samples_seen += [
            (queue.features[j].double(), int(queue.labels[j]))
            for j in held
            if not (head.mask_own_keys and int(queue.indices[j]) == own[b])
        ]
        for row, label in samples_seen:
            values.append(dot(anchor, row) / head.temperature)
            weights.append(head.alpha * (label == labels[b]))
            bias.append(log_gamma)
        losses.append(contrast_loop(values, weights, bias))
    return sum(losses) / len(losses)


@pytest.mark.parametrize('name', SETTINGS)
@pytest.mark.parametrize(('size', 'fill'), [(2, 0), (2, 8), (5, 8), (7, 11)])
def test_equals_the_loop(name: str, size: int, fill: int) -> None:
    head = make(fill, **SETTINGS[name])
    step = step_of(head, size)
    expected = loop(head, step)
    loss = float(head.loss_views(*step)['loss_contrast'].detach())
    assert loss == pytest.approx(expected, abs=2e-6, rel=1e-6)


def test_without_samples_it_is_balanced_softmax() -> None:
    head = make(alpha=0, gamma=0)
    step = step_of(head, 6)
    logits, labels = head.logits(step[3][0]), step[2]['gt_label']
    expected = balanced_softmax(logits, labels, torch.tensor(COUNTS)).mean()
    torch.testing.assert_close(head.loss_views(*step)['loss_contrast'], expected)


@pytest.mark.parametrize('name', SETTINGS)
def test_chance_level_is_the_objective_without_knowledge(name: str) -> None:
    """Of a network whose classifier gives 0 and whose embeddings are all at right angles."""
    head = make(weight=2.5, **SETTINGS[name])
    step = head.compute(Views(*step_of(head, 5)))
    assert step.anchors is not None
    prior = [0.0] * CLASSES if head.class_counts.equal else [math.log(n / 100) for n in COUNTS]
    flat = [block.but(similarity=torch.zeros_like(block.similarity)) for block in step.blocks]
    centers = flat[0].but(similarity=torch.tensor(prior).expand_as(flat[0].similarity))
    expected = 2.5 * float(head.objective(step.anchors, [centers, *flat[1:]]).mean())
    assert float(step.statistics['chance_level']) == pytest.approx(expected, rel=1e-6)


def test_statistics() -> None:
    head = make(alpha=0.5, beta=1.0)
    found = head.loss_views(*(step := step_of(head, 4)))
    labels = step[2]['gt_label']
    right = head.predict(step[3][0]).argmax(1) == labels
    assert float(found['acc_top1']) == pytest.approx(float(right.float().mean()))
    # Labels 0 1 2 0; in the queue 3, 3 and 2 rows of each; keys of all four.
    positives = [1 + 2 + 3, 0 + 1 + 3, 0 + 1 + 2, 1 + 2 + 3]
    share = sum(1 / (1 + 0.5 * p) for p in positives) / 4
    assert float(found['share_center']) == pytest.approx(share, rel=1e-6)
    assert float(found['queue_fill']) == pytest.approx(8 / 11)
    rows = torch.nn.functional.normalize(step[0][0], dim=1)
    own = float(rows[0] @ rows[3])
    assert float(found['sim_positive']) == pytest.approx(own, rel=1e-5)  # two have a partner


@pytest.mark.parametrize('name', ['paco', 'gpaco'])
def test_the_last_view_enters_the_queue_after_the_loss(name: str) -> None:
    head = make(0, **SETTINGS[name])
    online, target, _, _ = step = step_of(head, 3)
    before = {key: value.clone() for key, value in head.state_dict().items()}
    head.compute(Views(*step))
    assert all(torch.equal(value, before[key]) for key, value in head.state_dict().items())
    head.loss_views(*step)
    rows = torch.nn.functional.normalize({**online, **target}[1], dim=1)
    torch.testing.assert_close(head.memory.features[:3], rows)
    assert head.memory.labels.tolist() == [0, 1, 2] + [-1] * 8
    assert head.memory.indices.tolist() == [2, 3, 4] + [-1] * 8


@pytest.mark.parametrize('name', ['paco', 'gpaco'])
def test_where_the_gradient_flows(name: str) -> None:
    head = make(**SETTINGS[name])
    online, target, samples, features = step_of(head, 4)
    parts = [
        {view: rows.requires_grad_() for view, rows in part.items()}
        for part in (online, target, features)
    ]
    head.loss_views(parts[0], parts[1], samples, parts[2])['loss_contrast'].backward()
    assert all(bool(rows.grad.any()) for rows in [*parts[0].values(), *parts[2].values()])
    assert all(rows.grad is None for rows in parts[1].values())
    assert bool(head.fc.weight.grad.any()) and bool(head.fc.bias.grad.any())


def test_with_synthetic_negatives() -> None:
    """What attracts is not mixed, nor a row that holds no key."""
    head = make(mixing=mixing(2))
    step = head.compute(Views(*step_of(head, 4)))
    assert step.mixed is not None and step.block('synthetic').similarity.shape == (4, 8)
    assert 'share_harder' in step.statistics
    for block in step.blocks[1:-1]:
        assert not bool((block.mixable & (block.need('pull') > 0)).any())
    assert not bool(step.block('memory').mixable[:, 8:].any())


def run(head: ParametricContrastHead, steps: list[Step]) -> dict[str, Any]:
    losses, grads = [], []
    for online, target, samples, features in steps:
        leaves = {view: rows.clone().requires_grad_() for view, rows in online.items()}
        pooled = {view: rows.clone().requires_grad_() for view, rows in features.items()}
        head.zero_grad()
        loss = head.loss_views(leaves, target, samples, pooled)['loss_contrast']
        loss.backward()
        losses.append(loss.detach())
        grads.append([rows.grad for rows in [*leaves.values(), *pooled.values()]])
    own = [head.fc.weight.grad, head.fc.bias.grad]
    return dict(losses=losses, grads=grads, own=own, state=head.memory.state_dict())


SPLITS = [[1, 1], [3, 1], [2, 4]]


def on_a_rank(rank: int) -> dict[str, Any]:
    results = {}
    for name, settings in SETTINGS.items():
        head = make(**settings)
        steps = []
        for seed, splits in enumerate(SPLITS):
            parts = step_of(head, sum(splits), seed)
            steps.append(
                tuple({n: rows.split(splits)[rank] for n, rows in part.items()} for part in parts)
            )
        results[name] = run(head, steps)
        for value in [*results[name]['losses'], *results[name]['own']]:
            dist.all_reduce(value)
            value /= 2
    return results


def test_two_ranks_equal_one_process() -> None:
    ranks = run_ranks(on_a_rank, 2)
    for name, settings in SETTINGS.items():
        head = make(**settings)
        whole = run(head, [step_of(head, sum(s), seed) for seed, s in enumerate(SPLITS)])
        for step in range(len(SPLITS)):
            torch.testing.assert_close(
                ranks[0][name]['losses'][step], whole['losses'][step], rtol=1e-5, atol=1e-6
            )
            for i, gradient in enumerate(whole['grads'][step]):
                joined = torch.cat([rank[name]['grads'][step][i] for rank in ranks]) / 2
                torch.testing.assert_close(joined, gradient, rtol=1e-4, atol=2e-6, msg=name)
        for rank in ranks:
            torch.testing.assert_close(rank[name]['own'], whole['own'], rtol=1e-4, atol=2e-6)
            for key, value in whole['state'].items():
                torch.testing.assert_close(rank[name]['state'][key], value, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('name', ['paco', 'gpaco'])
def test_computes_in_float32_under_autocast(name: str) -> None:
    online, target, samples, features = step_of(make(**SETTINGS[name]), 4)
    low = [{v: rows.bfloat16() for v, rows in part.items()} for part in (online, target, features)]
    full = [{v: rows.float() for v, rows in part.items()} for part in low]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = make(**SETTINGS[name]).loss_views(low[0], low[1], samples, low[2])['loss_contrast']
    again = make(**SETTINGS[name]).loss_views(full[0], full[1], samples, full[2])['loss_contrast']
    assert loss.dtype == torch.float32 and torch.equal(loss, again)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(alpha=-1), 'alpha is -1'),
        (dict(beta=0), 'beta is 0'),
        (dict(gamma=-0.5), 'gamma is -0.5'),
        (dict(label_smoothing=1), 'label_smoothing is 1 for 3 classes'),
        (dict(anchor_views='all'), "anchor_views is 'all'; expected one of query, both"),
        (dict(oracle_loss=True), 'oracle_loss=True drops'),
        (dict(class_counts=[1, 0, 2]), 'class_counts of ParametricContrastHead .* 0 among them'),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_batches_that_do_not_fit() -> None:
    head = make()
    online, target, samples, features = step_of(head, 4)
    with pytest.raises(ValueError, match='label 3 but ParametricContrastHead has 3 classes'):
        head.loss_views(online, target, dict(gt_label=torch.tensor([0, 1, 3, 2])), features)
    with pytest.raises(ValueError, match='needs gt_label'):
        head.loss_views(online, target, {}, features)
    with pytest.raises(ValueError, match=r'pooled features of shapes \[\] for 1 views; .*\(4, 5\)'):
        head.loss_views(online, target, samples)
    wide = {0: torch.zeros(4, WIDTH + 1)}
    with pytest.raises(ValueError, match=r'shapes \[\(4, 6\)\] for 1 views; expected \(4, 5\)'):
        head.loss_views(online, target, samples, wide)
    with pytest.raises(ValueError, match='1 views of the trained encoder and 2 of the averaged'):
        head.loss_views(online, {1: target[1], 2: target[1]}, samples, features)
    both = make(anchor_views='both')
    online, _, samples, features = step_of(both, 4)
    with pytest.raises(ValueError, match=r'shapes \[\(4, 7\)\] do not fit .* memory of width 6'):
        wide = {view: torch.zeros(4, 7) for view in online}
        both.loss_views(wide, {}, samples, features)


@pytest.mark.parametrize('anchor_views', ['query', 'both'])
def test_images_whose_label_a_table_does_not_know_yet(anchor_views: str) -> None:
    """They have no center, also none that is smoothed, and count in no figure of the classifier."""
    table = SampleTable(4)
    table.write(torch.arange(2), label=torch.tensor([0, 2]))
    settings: dict[str, Any] = dict(table=table, label_smoothing=0.1, anchor_views=anchor_views)
    queue = FeatureQueue(LENGTH, DIM)
    head = ParametricContrastHead(queue, CLASSES, WIDTH, class_counts=COUNTS, **settings)
    rows = {v: random_units(4, DIM, v).float() for v in range(2)}
    sides = (rows, {}) if anchor_views == 'both' else ({0: rows[0]}, {1: rows[1]})
    features = {v: random_units(4, WIDTH, 9 + v).float() for v in sides[0]}
    step = head.compute(Views(*sides, dict(sample_idx=torch.arange(4)), features))
    pull = step.blocks[0].need('pull').unflatten(0, (4, -1))[:, 0]
    assert pull[2:].abs().sum() == 0 and float(pull[0, 0]) == pytest.approx(0.9)
    for name, value in step.results().items():
        assert torch.isfinite(value), name
    known = head.compute(
        Views(
            {v: side[:2] for v, side in sides[0].items()},
            {v: side[:2] for v, side in sides[1].items()},
            dict(sample_idx=torch.arange(2)),
            {v: part[:2] for v, part in features.items()},
        )
    )
    assert torch.equal(step.statistics['acc_top1'], known.statistics['acc_top1'])
    torch.testing.assert_close(step.statistics['share_center'], known.statistics['share_center'])
