"""What the frame promises of every contrastive head: order, purity, ranks, chance, masks, taps."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.models.heads import (
    BalancedSoftmaxHead,
    ContrastiveHead,
    CrossViewHead,
    FairKLHead,
    KeyBatchHead,
    NTXentHead,
    SupConHead,
)
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.memories import FeatureQueue, SampleTable
from mochi_mm.structures import Anchors, Block, Views
from tests.models.heads.family import (
    EVERY,
    FAMILY,
    IN_BATCH,
    WITH_MEMORY,
    batch_of,
    copied,
    of_rank,
    run,
    total,
)
from tests.models.heads.toy import DIM, T, memory, mixing, pairs
from tests.ranks import run_ranks
from tests.reference import random_units


def same_state(first: Any, second: Any) -> None:
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize('name', EVERY)
def test_compute_writes_nothing_and_commit_does(name: str) -> None:
    head, twin = EVERY[name](), EVERY[name]()
    batch = batch_of(name, head, 4)
    before = {key: value.clone() for key, value in head.state_dict().items()}
    first, second = (head.compute(Views(*copied(batch))) for _ in range(2))
    same_state(before, head.state_dict())
    assert first.results().keys() == second.results().keys()
    same_state(first.results(), second.results())
    second.commit()
    same_state(twin.loss_views(*copied(batch)), second.results())
    same_state(twin.state_dict(), head.state_dict())
    if head.memory is not None:
        assert not torch.equal(before['memory.features'], head.memory.features)


@pytest.mark.parametrize('name', EVERY)
def test_keys_are_constants(name: str) -> None:
    """A target encoder that was left with gradients learns nothing from the loss."""
    head = EVERY[name]()
    online, target, samples = copied(batch_of(name, head, 4), requires_grad=True)
    target = {view: rows.requires_grad_() for view, rows in target.items()}
    head.loss_views(online, target, samples)['loss_contrast'].backward()
    assert all(rows.grad is None for rows in target.values())
    assert any(rows.grad is not None for rows in online.values())
    assert not any(value.requires_grad for _, value in head.named_buffers())


# The floor of SupInfoNCE is relative to the largest cosine; what GloFND has learned is a cosine.
OF_COSINES = ('floor', 'glofnd')


@pytest.mark.parametrize(
    'name', [n for n in (*WITH_MEMORY, *IN_BATCH) if not any(word in n for word in OF_COSINES)]
)
def test_every_candidate_is_compared_by_the_heads_similarity(name: str) -> None:
    """Half the cosine over half the temperature is the cosine over the temperature."""
    plain, halved = EVERY[name](), EVERY[name]()
    kind = type(halved)
    own = dict(similarity=lambda self, *rows: kind.similarity(self, *rows) / 2)
    halved.__class__ = type('Halved', (kind,), dict(own, least_similarity=-0.5))
    for setting in ('temperature', 'key_temperature', 'sigma'):
        if getattr(halved, setting, None) is not None:
            setattr(halved, setting, getattr(halved, setting) / 2)
    batch = batch_of(name, plain, 4)
    expected, found = (head.compute(Views(*copied(batch))) for head in (plain, halved))
    # That of MoCo-v3 is multiplied by twice the temperature.
    factor = 2 if isinstance(plain, KeyBatchHead) else 1
    loss = factor * float(found.losses['loss_contrast'].detach())
    assert loss == pytest.approx(float(expected.losses['loss_contrast'].detach()), abs=2e-6)
    for first, second in zip(expected.blocks, found.blocks, strict=True):
        torch.testing.assert_close(2 * second.similarity, first.similarity)


@pytest.mark.parametrize('name', ['moco', 'simclr'])
def test_the_weight_scales_the_loss(name: str) -> None:
    plain, heavy = EVERY[name](), EVERY[name](weight=2.5)
    losses = [head.loss_views(*copied(batch_of(name, head, 4))) for head in (plain, heavy)]
    assert float(losses[1]['loss_contrast']) == pytest.approx(
        2.5 * float(losses[0]['loss_contrast'])
    )


@pytest.mark.parametrize('name', EVERY)
def test_chance_level_is_the_objective_at_equal_similarities(name: str) -> None:
    """Of a network that has collapsed: whatever it is shown, all cosines are 1."""
    head = EVERY[name](weight=2.5)
    step = head.compute(Views(*batch_of(name, head, 5)))
    assert step.anchors is not None
    losses = head.objective(step.anchors, [equal(block) for block in step.blocks])
    if step.anchors.keys is None and not head.count_all:
        losses = losses[attracted(step.blocks)]
    expected = 2.5 * float(losses.mean())
    assert float(step.statistics['chance_level']) == pytest.approx(expected, abs=2e-6, rel=1e-6)


def equal(block: Block) -> Block:
    """The block with one similarity everywhere; what is -inf is no candidate."""
    finite = block.similarity.isfinite()
    return block.but(similarity=torch.where(finite, torch.ones(()), block.similarity))


def attracted(blocks: Any) -> Tensor:
    counts = [b.positive() & ~b.dropped for b in blocks if b.positive() is not None]
    return torch.stack([count.any(1) for count in counts]).any(0)


@pytest.mark.parametrize('wrong', [math.nan, math.inf])
@pytest.mark.parametrize('name', EVERY)
def test_what_is_not_finite_is_never_taken_for_a_candidate_that_is_not_there(
    name: str, wrong: float
) -> None:
    batch = batch_of(name, EVERY[name](), 4)
    assert math.isfinite(total(EVERY[name]().loss_views(*copied(batch))))
    for side, view in ((0, 0), (1, 1)):
        if batch[side]:
            spoilt = copied(batch)
            spoilt[side][view][1, 2] = wrong
            head = EVERY[name]()
            assert math.isnan(total(head.loss_views(*spoilt))), (side, view)
            if head.memory is not None:
                assert head.memory.features.isfinite().all()


MIXING = [
    'moco', 'sce', 'labels', 'labels, one positive', 'fnc attract', 'simclr', 'supcon',
    'dclw, with gradient', 'eps-SupInfoNCE', 'in-batch fnc attract', 'moco-v3', 'hcl', 'renyi',
    'hcl moco, own keys masked',
]  # fmt: skip
ON_RANKS = {**FAMILY, **{key: EVERY[key] for key in (f'{name}, mixing' for name in MIXING)}}


def steps_of(name: str) -> list[list[int]]:
    """Two images leave nothing to mix where the batch is its own set of candidates."""
    return [[2, 2] if 'mixing' in name else [1, 1], [4, 1]]


def on_a_rank(rank: int, state: dict[str, Tensor]) -> dict[str, dict[str, Any]]:
    results = {}
    for name, make in ON_RANKS.items():
        head = make()
        if isinstance(head.memory, FeatureQueue):
            head.memory.load_state_dict(state)
        batches = [
            of_rank(batch_of(name, head, sum(splits), seed), splits, rank)
            for seed, splits in enumerate(steps_of(name))
        ]
        results[name] = run(head, batches)
        # What data-parallel training reports and applies is the mean over ranks.
        for loss in results[name]['losses']:
            dist.all_reduce(loss)
            loss /= 2
    return results


def test_two_ranks_equal_one_process() -> None:
    results = run_ranks(on_a_rank, 2, dict(memory().state_dict()))
    for name, make in ON_RANKS.items():
        head, ranks = make(), [result[name] for result in results]
        steps = steps_of(name)
        whole = run(
            head, [batch_of(name, head, sum(splits), seed) for seed, splits in enumerate(steps)]
        )
        for step in range(len(steps)):
            message = f'{name}, step {step}'
            loss = whole['losses'][step]
            torch.testing.assert_close(
                ranks[0]['losses'][step], loss, rtol=1e-5, atol=1e-6, msg=message
            )
            for view, gradient in whole['grads'][step].items():
                joined = torch.cat([rank['grads'][step][view] for rank in ranks]) / 2
                torch.testing.assert_close(joined, gradient, rtol=1e-4, atol=2e-6, msg=message)
        for rank in ranks:
            for key, value in whole['state'].items():
                torch.testing.assert_close(
                    rank['state'][key], value, rtol=1e-6, atol=1e-7, msg=name
                )


@pytest.mark.parametrize('name', FAMILY)
def test_computes_in_float32_under_autocast(name: str) -> None:
    online, target, samples = batch_of(name, FAMILY[name](), 4)
    low = [{v: rows.bfloat16() for v, rows in part.items()} for part in (online, target)]
    full = [{v: rows.float() for v, rows in part.items()} for part in low]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = FAMILY[name]().loss_views(*low, samples)['loss_contrast']
    assert loss.dtype == torch.float32
    assert torch.equal(loss, FAMILY[name]().loss_views(*full, samples)['loss_contrast'])


def test_the_memory_is_written_after_the_loss_and_never_with_synthetic_negatives() -> None:
    head = ContrastiveHead(FeatureQueue(4, DIM), mixing=mixing())
    before = head.memory.snapshot()
    queries, keys, samples = pairs(2)
    query = queries[0].requires_grad_()
    loss = head.loss(query, keys[1], samples)['loss_contrast']
    torch.testing.assert_close(
        head.memory.features[:2], torch.nn.functional.normalize(keys[1], dim=1)
    )
    assert torch.equal(head.memory.features[2:], before[2:])
    assert int(head.memory.pointer) == 2
    assert head.memory.labels.tolist() == [0, 1, -1, -1]
    assert head.memory.indices.tolist() == [0, 1, -1, -1]
    # The memory has moved on; the gradient is still that of the old one.
    loss.backward()
    other = ContrastiveHead(FeatureQueue(4, DIM), mixing=mixing())
    again = queries[0].detach().clone().requires_grad_()
    step = other.compute(Views({0: again}, {1: keys[1]}, samples))
    step.losses['loss_contrast'].backward()
    assert query.grad is not None and again.grad is not None
    assert torch.equal(query.grad, again.grad)


def test_every_key_is_enqueued_once_image_by_image() -> None:
    queries, keys, samples = pairs(3)
    head = ContrastiveHead(FeatureQueue(20, DIM))
    head.loss_views(queries, keys, samples)
    rows = torch.stack([torch.nn.functional.normalize(key, dim=1) for key in keys.values()], dim=1)
    torch.testing.assert_close(head.memory.features[:9], rows.flatten(0, 1))
    assert int(head.memory.count) == 9
    assert head.memory.labels[:9].tolist() == samples['gt_label'].repeat_interleave(3).tolist()
    assert head.memory.indices[:9].tolist() == samples['sample_idx'].repeat_interleave(3).tolist()


def test_labels_come_under_label_key() -> None:
    """The loss is that of the same labels under the usual name, and they are what is enqueued."""
    queries, keys, samples = pairs(4)
    pseudo = dict(
        sample_idx=samples['sample_idx'], cluster=samples['gt_label'], gt_label=-torch.ones(4)
    )
    for make in (
        lambda **k: SupConHead(memory=memory(), **k),
        lambda **k: ContrastiveHead(memory(), oracle_loss=True, **k),
    ):
        named, plain = make(label_key='cluster'), make()
        loss = named.loss_views(queries, keys, pseudo)
        same_state(loss, plain.loss_views(queries, keys, samples))
        same_state(named.state_dict(), plain.state_dict())
    with pytest.raises(
        ValueError, match=r'needs cluster .* got none; use a data set that gives clu'
    ):
        SupConHead(label_key='cluster').loss_views(queries, None, samples)


def test_labels_of_a_table_reach_keys_that_are_already_queued() -> None:
    queries, keys, samples = pairs(4)
    table = SampleTable(12)
    head = SupConHead(memory=memory(), table=table)
    wanted = torch.tensor([2, 0, 0, 1, 1, 2, 0, 1, 2, 2, 0, 1])
    table.write(torch.arange(12), label=wanted)
    plain = SupConHead(memory=memory())
    plain.memory.labels[:8] = wanted[:8]
    given = dict(gt_label=wanted[samples['sample_idx']], sample_idx=samples['sample_idx'])
    unlabeled = dict(sample_idx=samples['sample_idx'])
    loss = head.loss_views(queries, keys, unlabeled)['loss_contrast']
    assert torch.equal(loss, plain.loss_views(queries, keys, given)['loss_contrast'])
    table.write(torch.arange(12), label=wanted.flip(0))
    plain.memory.labels.copy_(wanted.flip(0)[plain.memory.indices])
    given['gt_label'] = wanted.flip(0)[samples['sample_idx']]
    loss = head.loss_views(queries, keys, unlabeled)['loss_contrast']
    assert torch.equal(loss, plain.loss_views(queries, keys, given)['loss_contrast'])
    with pytest.raises(ValueError, match='SupConHead needs sample_idx for every sample, got none'):
        head.loss_views(queries, keys, dict(gt_label=torch.zeros(4)))


def test_labels_of_a_table_in_the_batch() -> None:
    queries, _, samples = pairs(4)
    table = SampleTable(4)
    table.write(torch.arange(4), label=torch.tensor([5, 7, 5, 7]))
    head = SupConHead(table=dict(type='SampleTable', length=4))
    head.table = table
    loss = head.loss_views(queries, None, dict(sample_idx=samples['sample_idx']))
    plain = SupConHead().loss_views(queries, None, dict(gt_label=torch.tensor([5, 7, 5, 7])))
    same_state(plain, loss)
    table.write(torch.arange(4), label=torch.tensor([5, 5, 7, 7]))
    other = head.loss_views(queries, None, dict(sample_idx=samples['sample_idx']))
    assert not torch.equal(other['loss_contrast'], loss['loss_contrast'])


def test_a_batch_is_checked_on_the_host_before_the_table_is_read() -> None:
    """The table lies on the device; what is checked is the host's copy of the batch."""
    head = SupConHead(table=SampleTable(4)).to('meta')
    head.check_samples(dict(sample_idx=torch.arange(3)))
    with pytest.raises(ValueError, match=r'needs sample_idx for every sample, got unknown ones'):
        head.check_samples(dict(sample_idx=torch.tensor([0, -1])))


class TwoTerms(BaseContrastiveHead):
    """A head of one's own: the batch, and a block of two learned rows, all pushing."""

    with_memory = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows = torch.nn.Parameter(random_units(2, DIM, 7).float())

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        learned = Block('learned', anchors.rows @ self.rows.T, rows=self.rows, mixable=True)
        return [*super().blocks(anchors, views), learned]

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        batch, learned = blocks
        return [batch.attract(batch.same_image), learned]


def test_a_head_of_ones_own_states_its_blocks() -> None:
    """NT-Xent with two more negatives; both blocks are mixed."""
    head = TwoTerms(temperature=T, mixing=mixing(num_hard=6))
    queries, _, _ = pairs(3)
    step = head.compute(Views(queries))
    assert [block.name for block in step.blocks] == ['batch', 'learned', 'synthetic']
    assert step.mixed is not None and len(step.mixed.hard.bank) == 8
    assert step.mixed.hard.count is not None and step.mixed.hard.count.tolist() == [6] * 6
    assert step.block('learned').similarity.shape == (6, 2)
    with pytest.raises(KeyError, match="no block 'memory' among.*batch, learned, synthetic"):
        step.block('memory')
    step.losses['loss_contrast'].backward()
    assert head.rows.grad is not None and head.rows.grad.abs().sum() > 0


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='temperature is 0.*above 0'):
        ContrastiveHead(memory(), temperature=0)
    with pytest.raises(ValueError, match='weight is 0.0; expected a number above 0'):
        NTXentHead(weight=0.0)
    with pytest.raises(ValueError, match='memory is None but ContrastiveHead needs a memory'):
        ContrastiveHead()
    with pytest.raises(ValueError, match='but NTXentHead needs none'):
        NTXentHead(memory=memory())
    with pytest.raises(ValueError, match='mask_own_keys, oracle_mix is set but there is no memory'):
        NTXentHead(mask_own_keys=True, oracle_mix=True)
    with pytest.raises(ValueError, match='Linear is no BaseMemory; expected one'):
        ContrastiveHead(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match='num_hard is 12 but the memory holds 11 keys'):
        ContrastiveHead(memory(), mixing=mixing(num_hard=12))


def test_bad_batches_leave_the_memory_alone() -> None:
    head = ContrastiveHead(memory(), T, mask_own_keys=True)
    before = head.memory.snapshot()
    queries, keys, samples = pairs(3)
    with pytest.raises(ValueError, match=r'query \(3, 4\) does not fit 3 images.*width 6'):
        head.loss(queries[0][:, :4], keys[1][:, :4], samples)
    with pytest.raises(ValueError, match='mask_own_keys needs sample_idx.*got none'):
        head.loss(queries[0], keys[1], dict(gt_label=samples['gt_label']))
    with pytest.raises(ValueError, match='at least one query and one key of different views'):
        head.loss_views({0: queries[0]}, {0: keys[0]}, samples)
    oracle = ContrastiveHead(head.memory, oracle_mix=True)
    with pytest.raises(ValueError, match=r'class oracle needs gt_label.*unknown ones \(-1\)'):
        oracle.loss(queries[0], keys[1], dict(gt_label=torch.tensor([0, -1, 2])))
    with pytest.raises(ValueError, match=r'shape \(3, 6\); ContrastiveHead takes \(images, views'):
        head.loss(queries[0])
    assert torch.equal(head.memory.features, before)


LABELED: dict[str, Any] = {
    'SupConHead': lambda: SupConHead(label_key='cluster'),
    'with a memory': lambda: ContrastiveHead(memory(), label_key='cluster'),
    'oracle': lambda: ContrastiveHead(memory(), label_key='cluster', oracle_mix=True),
    'FairKLHead': lambda: FairKLHead(label_key='cluster', bias_key='sample_idx'),
    'BalancedSoftmaxHead': lambda: BalancedSoftmaxHead(
        3, DIM, class_counts=None, label_key='cluster'
    ),
    'CrossViewHead': lambda: CrossViewHead(
        [dict(type='InstanceBank', length=8, dim=DIM)] * 2, 5, 'softmax', label_key='cluster'
    ),
}


@pytest.mark.parametrize('name', LABELED)
def test_labels_of_another_shape_or_length_are_refused_by_every_head(name: str) -> None:
    head = LABELED[name]()
    rows = {v: random_units(4, DIM, v).float() for v in range(2)}
    sides = ({0: rows[0]}, {1: rows[1]}) if head.takes == 'pairs' else (rows, None)
    right = torch.tensor([0, 1, 2, 0])
    samples = dict(cluster=right, sample_idx=torch.arange(4))
    before = {key: value.clone() for key, value in head.state_dict().items()}
    for wrong in (right[:, None], torch.eye(4)[:, :3], right.float(), right[:3]):
        with pytest.raises(ValueError, match=r'(cluster|labels) (is a tensor )?of shape'):
            head.loss_views(*sides, dict(samples, cluster=wrong))
    with pytest.raises(ValueError, match='the batch holds no image'):
        empty = [None if side is None else {v: r[:0] for v, r in side.items()} for side in sides]
        head.loss_views(*empty, {key: value[:0] for key, value in samples.items()})
    same_state(before, head.state_dict())
    assert torch.isfinite(torch.tensor(total(head.loss_views(*sides, samples))))
    if name == 'CrossViewHead':
        assert head.memories[0].labels[:4].tolist() == right.tolist()


def test_who_needs_labels_is_named() -> None:
    with pytest.raises(ValueError, match='SupConHead needs gt_label'):
        SupConHead().loss(torch.randn(3, 2, DIM), {})
