"""CMC's head: worked values, loops, ranks, resuming."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributed as dist

from mochi_mm.models.heads import CrossViewHead
from mochi_mm.models.memories import InstanceBank
from mochi_mm.models.mixers import PairMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import Views
from tests.models.heads.toy import FixedPair
from tests.ranks import run_ranks
from tests.reference import dot, random_units, unit

LENGTH, DIM = 9, 5
MIXING = dict(num_hard=3, mixers=[FixedPair(4)])


class FixedDraws(CrossViewHead):
    """Draws that depend on the image alone."""

    def draw(self, ids: torch.Tensor) -> torch.Tensor:
        steps = torch.arange(1, self.num_negatives + 1)
        return (ids[:, None] * 2 + steps) % self.length


def build(form: str = 'nce', views: int = 2, **kwargs: Any) -> CrossViewHead:
    banks = [InstanceBank(LENGTH, DIM, init_seed=v) for v in range(views)]
    settings = dict(num_negatives=6, temperature=0.3)
    return FixedDraws(banks, form=form, **{**settings, **kwargs})


def worked(form: str) -> tuple[CrossViewHead, dict[str, torch.Tensor]]:
    banks = [InstanceBank(4, 2, init_seed=v) for v in range(2)]
    banks[0].features.copy_(torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]))
    banks[1].features.copy_(torch.tensor([[0.6, 0.8], [-0.8, 0.6], [-0.6, -0.8], [0.8, -0.6]]))
    head = CrossViewHead(banks, num_negatives=2, form=form, temperature=0.5)
    head.draw = lambda ids: torch.tensor([[2, 3], [3, 0]])  # type: ignore[method-assign]
    features = torch.tensor([[[0.8, 0.6], [1.0, 0.0]], [[0.0, 1.0], [-0.6, 0.8]]])
    return head, head.loss(features, dict(sample_idx=torch.tensor([0, 1])))


def test_worked_values() -> None:
    head, losses = worked('nce')
    assert float(losses['loss_0_1']) == pytest.approx(1.290261, abs=1e-6)
    assert float(losses['loss_1_0']) == pytest.approx(0.740104, abs=1e-6)
    assert float(losses['loss_0_1'] + losses['loss_1_0']) == pytest.approx(2.030365, abs=1e-6)
    assert head.log_z.exp()[0, 1].item() == pytest.approx(11.528388, rel=1e-6)
    assert head.log_z.exp()[1, 0].item() == pytest.approx(9.320343, rel=1e-6)
    rows = [bank.features[:2] for bank in head.memories]
    wanted = [[[0.948683, 0.316228], [0, 1]], [[0.894427, 0.447214], [-0.707107, 0.707107]]]
    torch.testing.assert_close(torch.stack(rows), torch.tensor(wanted), rtol=0, atol=1e-6)
    _, losses = worked('softmax')
    assert float(losses['loss_0_1']) == pytest.approx(0.597096, abs=1e-6)
    assert float(losses['loss_1_0']) == pytest.approx(0.119835, abs=1e-6)
    assert float(losses['loss_0_1'] + losses['loss_1_0']) == pytest.approx(0.716931, abs=1e-6)


def batch(size: int, views: int = 2, seed: int = 0) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    features = 2 * random_units(size * views, DIM, seed).float().unflatten(0, (size, views))
    return features, dict(sample_idx=(torch.arange(size) * 2 + seed) % LENGTH)


def loss_loop(head: Any, features: torch.Tensor, ids: torch.Tensor, normalizers: Any) -> Any:
    """The loss of each pair of views, by the definition, from exponentials."""
    losses: dict[str, float] = {}
    views = features.shape[1]
    for a in range(views):
        for b in (v for v in range(views) if v != a):
            scores = []
            for i, own in enumerate(ids.tolist()):
                query = unit(features[i, a].detach().double())
                drawn = [own, *((own * 2 + k) % LENGTH for k in range(1, head.num_negatives + 1))]
                rows = head.memories[b].features.double()
                scores.append([math.exp(dot(query, rows[j]) / head.temperature) for j in drawn])
            if head.form == 'softmax':
                each = [-math.log(row[0] / sum(row)) for row in scores]
            else:
                flat = [score for row in scores for score in row]
                z = normalizers.setdefault((a, b), LENGTH * sum(flat) / len(flat))
                c = head.num_negatives / LENGTH
                each = []
                for row in scores:
                    p = [score / z for score in row]
                    value = -math.log(p[0] / (p[0] + c + head.eps))
                    each.append(value - sum(math.log(c / (n + c + head.eps)) for n in p[1:]))
            losses[f'loss_{a}_{b}'] = sum(each) / len(each)
    return losses


@pytest.mark.parametrize('form', ['nce', 'softmax'])
@pytest.mark.parametrize(('size', 'views'), [(1, 2), (7, 2), (4, 3)])
def test_loss_equals_the_loop(form: str, size: int, views: int) -> None:
    """Over two steps: the first fixes Z, the second meets moved banks."""
    head = build(form, views, **(dict(eps=0.01) if form == 'nce' else {}))
    normalizers: dict[Any, float] = {}
    for step in range(2):
        features, samples = batch(size, views, step)
        expected = loss_loop(head, features, samples['sample_idx'], normalizers)
        losses = head.loss(features, samples)
        assert {name for name in losses if 'loss' in name} == set(expected)
        for name, value in expected.items():
            assert float(losses[name]) == pytest.approx(value, rel=2e-6), name


def test_statistics_are_means_over_pairs_of_views() -> None:
    """By a loop; a drawn row that is the own one ties with it, and a tie is no hit."""
    head = build('softmax', 3)
    features, samples = batch(7, 3)
    own, hardest = [], []
    for a, b in ((a, b) for a in range(3) for b in range(3) if a != b):
        rows = head.memories[b].features.double()
        for i, image in enumerate(samples['sample_idx'].tolist()):
            query = unit(features[i, a].double())
            own.append(dot(query, rows[image]))
            drawn = [(image * 2 + k) % LENGTH for k in range(1, head.num_negatives + 1)]
            hardest.append(max(dot(query, rows[j]) for j in drawn))
    hits = sum(x > y for x, y in zip(own, hardest, strict=True))
    assert 0 < hits < len(own)
    losses = head.loss(features, samples)
    expected = dict(
        acc_contrast=hits / len(own),
        sim_positive=sum(own) / len(own),
        sim_hardest=sum(hardest) / len(own),
    )
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(value, abs=1e-6), name
    collapsed = build()
    for bank in collapsed.memories:
        bank.features.copy_(torch.eye(DIM)[:1].expand(LENGTH, -1))
    assert float(collapsed.loss(*batch(4))['acc_contrast']) == 0


def test_draws() -> None:
    head = CrossViewHead([InstanceBank(5, DIM, init_seed=v) for v in range(2)], num_negatives=4000)
    ids = torch.tensor([0, 3, 4])
    head.set_step(StepKey(0, 1))
    drawn = head.draw(ids)
    assert torch.equal(drawn, head.draw(ids))
    for row in drawn:  # 800 expected of each, within five standard errors
        assert (torch.bincount(row, minlength=5) - 800).abs().max() < 5 * 25.3
    head.exclude_own = True
    for own, row in zip(ids.tolist(), head.draw(ids), strict=True):
        counts = torch.bincount(row, minlength=5)
        assert int(counts[own]) == 0 and (counts[counts > 0] - 1000).abs().max() < 5 * 27.4
    head.set_step(StepKey(0, 2))
    assert not torch.equal(drawn, head.draw(ids))


def test_mixing_composes_with_the_softmax_form() -> None:
    plain, mixing = build('softmax'), build('softmax', mixing=MIXING)
    features, samples = batch(4)
    features.requires_grad_()
    banks = [bank.snapshot().double() for bank in mixing.memories]
    losses = mixing.loss(features, samples)
    (losses['loss_0_1'] + losses['loss_1_0']).backward()
    assert features.grad is not None and torch.isfinite(features.grad).all()
    total = 0.0
    for i, own in enumerate(samples['sample_idx'].tolist()):
        query = unit(features[i, 0].detach().double())
        rows = [banks[1][own], *(banks[1][(own * 2 + k) % LENGTH] for k in range(1, 7))]
        logits = [dot(query, row) for row in rows]
        others = [row for row in rows[1:] if not torch.equal(row, rows[0])]
        hard = sorted(others, key=lambda row: -dot(query, row))[:3]
        for s in range(4):
            w = (s + 1) / 6
            logits.append(dot(query, unit(w * hard[s % 3] + (1 - w) * hard[(2 * s + 1) % 3])))
        total += math.log(sum(math.exp(x / 0.3) for x in logits)) - logits[0] / 0.3
    assert float(losses['loss_0_1']) == pytest.approx(total / 4, abs=1e-6)
    assert float(losses['loss_0_1']) > float(plain.loss(features, samples)['loss_0_1'])


def test_the_own_row_is_drawn_but_never_mixed() -> None:
    """With nothing but the own row drawn, no synthetic negative pushes."""
    plain, mixing = (
        build('softmax'),
        build('softmax', mixing=dict(num_hard=6, mixers=[FixedPair(4)])),
    )
    for head in (plain, mixing):
        head.draw = lambda ids: ids[:, None].repeat(1, 6)  # type: ignore[method-assign]
    features, samples = batch(4)
    losses = [head.loss(features, samples) for head in (plain, mixing)]
    for name in ('loss_0_1', 'loss_1_0'):
        torch.testing.assert_close(losses[0][name], losses[1][name])


def test_resuming_keeps_banks_and_normalizer() -> None:
    head, other = build(), build()
    head.loss(*batch(3))
    other.load_state_dict(head.state_dict())
    features, samples = batch(3, seed=1)
    first, second = head.loss(features, samples), other.loss(features, samples)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


ON_RANKS: dict[str, Any] = {
    'nce': dict(),
    'nce, three views': dict(views=3),
    'softmax': dict(form='softmax'),
    'softmax, three views': dict(form='softmax', views=3),
    'softmax, mixing': dict(form='softmax', mixing=MIXING),
}
STEPS = [[2, 2], [3, 1]]


def run(kind: str, share: Any) -> dict[str, Any]:
    """Two steps; ``share`` takes a process's part of a tensor."""
    head = build(**ON_RANKS[kind])
    losses, grads = [], []
    for step, splits in enumerate(STEPS):
        features, samples = batch(sum(splits), len(head.memories), step)
        own = share(features, splits).clone().requires_grad_()
        result = head.loss(own, dict(sample_idx=share(samples['sample_idx'], splits)))
        loss = sum(value for name, value in result.items() if name.startswith('loss'))
        loss.backward()
        losses.append(loss.detach())
        grads.append(own.grad)
    return dict(losses=losses, grads=grads, state=dict(head.state_dict()))


def on_a_rank(rank: int) -> dict[str, dict[str, Any]]:
    results = {
        kind: run(kind, lambda tensor, splits: tensor.split(splits)[rank]) for kind in ON_RANKS
    }
    for result in results.values():
        for loss in result['losses']:
            dist.all_reduce(loss)
            loss /= 2
    return results


def test_two_ranks_equal_one_process() -> None:
    results = run_ranks(on_a_rank, 2)
    for kind in ON_RANKS:
        whole, ranks = run(kind, lambda tensor, splits: tensor), [r[kind] for r in results]
        for step in range(len(STEPS)):
            torch.testing.assert_close(ranks[0]['losses'][step], whole['losses'][step], msg=kind)
            joined = torch.cat([rank['grads'][step] for rank in ranks]) / 2
            expected = whole['grads'][step]
            torch.testing.assert_close(joined, expected, rtol=1e-5, atol=1e-7, msg=kind)
        for name, value in whole['state'].items():
            for rank in ranks:
                torch.testing.assert_close(
                    rank['state'][name], value, rtol=1e-6, atol=1e-6, msg=f'{kind} {name}'
                )


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='at least two, all of one size'):
        CrossViewHead([InstanceBank(4, 2), InstanceBank(5, 2)])
    bank = InstanceBank(4, 2)
    for pair in ([bank, bank], [InstanceBank(4, 2), InstanceBank(4, 2)]):
        with pytest.raises(ValueError, match='views 0 and 1 start from the same rows'):
            CrossViewHead(pair)
    with pytest.raises(ValueError, match='temperature is 0;'):
        build(temperature=0)
    for eps in (-1, math.nan):
        with pytest.raises(ValueError, match=f'eps is {eps}; expected a number of 0 or more'):
            build(eps=eps)
    with pytest.raises(ValueError, match="form is 'both'; expected one of nce, softmax"):
        build('both')
    with pytest.raises(ValueError, match="mixing needs form='softmax'"):
        build('nce', mixing=MIXING)
    with pytest.raises(ValueError, match='num_hard is 7 but the memory holds 6 keys'):
        build('softmax', mixing=dict(num_hard=7, mixers=[PairMixing(2)]))
    with pytest.raises(ValueError, match='num_negatives is 0'):
        build(num_negatives=0)


def test_banks_given_as_one_config_start_from_different_rows() -> None:
    config = dict(type='InstanceBank', length=5, dim=3)
    banks = CrossViewHead([config, config, dict(config, init_seed=7)], num_negatives=2).memories
    for bank, seed in zip(banks, (0, 1, 7), strict=True):
        assert torch.equal(bank.features, InstanceBank(5, 3, init_seed=seed).features)


def test_bad_batches_leave_the_banks_alone() -> None:
    head = build()
    before = head.memories[0].snapshot()
    features, samples = batch(3)
    with pytest.raises(ValueError, match=r'expected \(images, width 5\) for each of the 2 views'):
        head.loss(features[:, :1], samples)
    with pytest.raises(ValueError, match='needs the data set index of every sample, got none'):
        head.loss(features, {})
    with pytest.raises(ValueError, match='the sample 9 but the instance bank has rows 0 to 8'):
        head.loss(features, dict(sample_idx=torch.tensor([0, 9, 1])))
    assert torch.equal(head.memories[0].features, before)


@pytest.mark.parametrize('kind', ON_RANKS)
def test_compute_writes_nothing_and_commit_does(kind: str) -> None:
    """Neither the banks nor Z."""
    head, twin = build(**ON_RANKS[kind]), build(**ON_RANKS[kind])
    features, samples = batch(4, len(head.memories))
    views = Views(dict(enumerate(features.unbind(1))), {}, samples)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    first, second = head.compute(views), head.compute(views)
    for name, value in before.items():
        assert torch.equal(value, head.state_dict()[name]), name
    second.commit()
    expected = twin.loss(features, samples)
    for name, value in expected.items():
        assert torch.equal(value, first.results()[name]), name
        assert torch.equal(value, second.results()[name]), name
    for name, value in twin.state_dict().items():
        assert torch.equal(value, head.state_dict()[name]), name
    assert not torch.equal(before['memories.0.features'], head.memories[0].features)


@pytest.mark.parametrize('wrong', [math.nan, math.inf])
@pytest.mark.parametrize('form', ['nce', 'softmax'])
def test_what_is_not_finite_is_not_hidden(form: str, wrong: float) -> None:
    features, samples = batch(4)
    features[1, 0, 2] = wrong
    losses = build(form).loss(features, samples)
    assert math.isnan(float(losses['loss_0_1']))


@pytest.mark.parametrize('wrong', [math.nan, math.inf])
def test_a_bad_first_batch_leaves_no_normalizer(wrong: float) -> None:
    """The batch after it gives what it would have given without it."""
    good, samples = batch(4)
    bad = good.clone()
    bad[1] = wrong
    head, fresh = build(), build()
    head.loss(bad, samples)
    assert not head.log_z_known.any() and (head.log_z == 0).all()
    head.memories.load_state_dict(fresh.memories.state_dict())
    expected = fresh.loss(good, samples)
    for name, value in head.loss(good, samples).items():
        assert torch.equal(value, expected[name]), name
    assert head.log_z_known.any()


def test_a_bare_loop_keys_the_mixing_and_sets_its_epoch() -> None:
    """Two heads with one key draw the same, whatever was drawn before."""
    mixing = dict(num_hard=3, start_epoch=1, mixers=[dict(type='PairMixing', num=4)])
    losses = []
    for _ in range(2):
        head = build('softmax', mixing=mixing)
        head.set_step(StepKey(0, 1))
        head.set_epoch(1, 2)
        assert head.mixing is not None and head.mixing.active
        losses.append(head.loss(*batch(4)))
    for name, value in losses[0].items():
        assert torch.equal(value, losses[1][name]), name
