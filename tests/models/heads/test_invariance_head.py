"""ReLICv2's objective: worked values, the slow loop, ranks, draws, what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import InvarianceHead, KeyBatchHead
from mochi_mm.randomness import StepKey
from tests.models.algorithms.toy import moco_config
from tests.models.heads.toy import Embeddings
from tests.ranks import run_ranks
from tests.reference import dot, unit
from tests.toy_runner import runner_config, train

# Of three images, two views each: embeddings of the trained and of the averaged encoder.
ONLINE = {
    0: torch.tensor([(1.0, 0.0), (0.0, 1.0), (-0.6, 0.8)]),
    1: torch.tensor([(0.96, 0.28), (0.28, 0.96), (-0.8, 0.6)]),
}
TARGET = {
    0: torch.tensor([(0.8, 0.6), (-0.28, 0.96), (-1.0, 0.0)]),
    1: torch.tensor([(0.6, 0.8), (0.6, 0.8), (-0.96, 0.28)]),
}
DRAWN = torch.eye(3)[[1, 2, 0]].bool()
T = 0.3


def head(**kwargs: Any) -> InvarianceHead:
    return InvarianceHead(**{**dict(num_negatives=None, same_view=False), **kwargs})


def losses(head: InvarianceHead, online: Embeddings, target: Embeddings) -> tuple[float, float]:
    found = head.loss_views(online, target)
    return float(found['loss_contrast'].detach()), float(found['loss_invariance'].detach())


@pytest.mark.parametrize('frozen', ['entropy', 'target', 'none'])
def test_worked_values(frozen: str) -> None:
    """Of each direction and of both; where gradients stop changes no value."""
    first = losses(head(kl_pair='one_pair', frozen=frozen), {0: 2 * ONLINE[0]}, {1: TARGET[1]})
    assert first == pytest.approx((0.592107, 0.202391), abs=1e-6)
    assert sum(first) == pytest.approx(0.794498, abs=1e-6)
    second = losses(head(), {1: ONLINE[1]}, {0: TARGET[0]})
    assert second[0] == pytest.approx(0.462662, abs=1e-6)
    both = losses(head(frozen=frozen), ONLINE, TARGET)
    assert both[1] == pytest.approx((0.472412 + 0.331118) / 2, abs=1e-6)
    assert sum(both) == pytest.approx(0.929149, abs=1e-6)
    weighted = losses(head(weight=2.0, invariance=0.5), ONLINE, TARGET)
    assert weighted == pytest.approx((2 * both[0], both[1]), abs=1e-6)


def test_worked_value_of_one_drawn_negative() -> None:
    one = head(num_negatives=1)
    path = 'mochi_mm.models.heads.invariance_head.drawn_others'
    with mock.patch(path, lambda *_: DRAWN):
        found = losses(one, {0: ONLINE[0]}, {1: TARGET[1]})
        assert found[0] == pytest.approx(0.339522, abs=1e-6)
        loop = by_definition(ONLINE, TARGET, DRAWN, 'swapped', True)
        assert losses(head(num_negatives=1, same_view=True), ONLINE, TARGET) == pytest.approx(
            loop, abs=1e-6
        )


def by_definition(
    online: Embeddings, target: Embeddings, drawn: Tensor, kl_pair: str, same_view: bool
) -> tuple[float, float]:
    """Means over images and pairs, in float64."""
    q = {v: [unit(r.double()) for r in rows] for v, rows in online.items()}
    k = {v: [unit(r.double()) for r in rows] for v, rows in target.items()}
    pairs = [(i, j) for i in q for j in k if same_view or i != j]

    def likelihood(row: Tensor, candidates: list[Tensor], image: int) -> dict[int, float]:
        met = [m for m in range(len(candidates)) if m == image or drawn[image, m]]
        values = {m: math.exp(dot(row, candidates[m]) / T) for m in met}
        return {m: value / sum(values.values()) for m, value in values.items()}

    contrast, invariance, count = 0.0, 0.0, 0
    for i, j in pairs:
        for image in range(len(drawn)):
            p = likelihood(q[i][image], k[j], image)
            if kl_pair == 'swapped' and (j, i) in pairs:
                other = likelihood(q[j][image], k[i], image)
            else:
                other = likelihood(k[j][image], q[i], image)
            contrast -= math.log(p[image])
            invariance += sum(p[m] * math.log(p[m] / other[m]) for m in p)
            count += 1
    return contrast / count, invariance / count


def crops(images: int) -> tuple[Embeddings, Embeddings]:
    """Two large crops and a small one, which the averaged encoder does not see."""
    generator = torch.Generator().manual_seed(images)
    rows = torch.randn(5, images, 6, generator=generator)
    return {0: rows[0], 1: rows[1], 2: rows[2]}, {0: rows[3], 1: rows[4]}


@pytest.mark.parametrize('kl_pair', ['swapped', 'one_pair'])
@pytest.mark.parametrize(('images', 'number'), [(2, 1), (7, 3), (5, None)])
@pytest.mark.parametrize('same_view', [True, False])
def test_equals_the_loop(kl_pair: str, images: int, number: int | None, same_view: bool) -> None:
    online, target = crops(images)
    one = head(num_negatives=number, kl_pair=kl_pair, same_view=same_view)
    one.set_step(StepKey(0, 5))
    drawn = ~torch.eye(images).bool() if number is None else one.draw(images, torch.device('cpu'))
    expected = by_definition(online, target, drawn, kl_pair, same_view)
    assert losses(one, online, target) == pytest.approx(expected, abs=1e-5)


def test_all_others_without_invariance_are_moco_v3() -> None:
    online, target = crops(5)
    plain = KeyBatchHead(T).loss_views(online, target)
    found = head(invariance=0).loss_views(online, target)
    pairs = 4
    expected = float(plain['loss_contrast']) / (2 * T * pairs)
    assert float(found['loss_contrast']) == pytest.approx(expected, rel=1e-6)
    assert float(found['loss_invariance']) == 0.0
    assert float(found['chance_level']) == pytest.approx(math.log(5))
    few = head(num_negatives=3).loss_views(online, target)
    assert float(few['chance_level']) == pytest.approx(math.log(4))


def test_draws_are_keyed_by_the_step() -> None:
    one, device = head(num_negatives=3), torch.device('cpu')
    drawn = []
    for seed, step in ((0, 1), (0, 1), (0, 2), (1, 1)):
        one.set_step(StepKey(seed, step))
        drawn.append(one.draw(9, device))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[3])


def test_gradient_flows_into_the_trained_encoder_alone() -> None:
    for frozen in ('entropy', 'target', 'none'):
        online, target = crops(4)
        for rows in (*online.values(), *target.values()):
            rows.requires_grad_()
        found = head(num_negatives=2, frozen=frozen, same_view=True).loss_views(online, target)
        found['loss_invariance'].backward()
        assert all(rows.grad is not None and rows.grad.isfinite().all() for rows in online.values())
        assert float(
            sum(rows.grad.abs().sum() for rows in online.values() if rows.grad is not None)
        )
        assert all(rows.grad is None for rows in target.values())


def test_a_resumed_run_is_the_same(tmp_path: Path) -> None:
    """Draws of later steps do not depend on how often the run was started."""

    def config(name: str, **changes: Any) -> Any:
        model = moco_config(
            head=dict(type='InvarianceHead', num_negatives=2),
            online_views=(0, 1),
            target_views=(0, 1),
            batch_shuffle='none',
        )
        return runner_config(tmp_path / name, 2, 8, model=dict(model, _delete_=True), **changes)

    whole = train(config('whole')).model.state_dict()
    first = str(tmp_path / 'whole/epoch_1.pth')
    resumed = train(config('resumed', resume=True, load_from=first)).model.state_dict()
    assert all(torch.equal(whole[name], value) for name, value in resumed.items())


def _rank(rank: int) -> list[list[Tensor]]:
    return [_part(slice(0, 3) if rank == 0 else slice(3, 7), kind) for kind in KINDS]


KINDS = [('swapped', 3), ('one_pair', 2), ('swapped', None)]


def _part(part: slice, kind: tuple[str, int | None]) -> list[Tensor]:
    online, target = crops(7)
    mine = {view: rows[part].clone().requires_grad_() for view, rows in online.items()}
    keys = {view: rows[part] for view, rows in target.items()}
    one = head(kl_pair=kind[0], num_negatives=kind[1], same_view=True, frozen='none')
    one.set_step(StepKey(0, 5))
    found = one.loss_views(mine, keys)
    total = found['loss_contrast'] + found['loss_invariance']
    total.backward()
    gradients = [rows.grad for rows in mine.values() if rows.grad is not None]
    return [total.detach(), torch.stack(gradients, dim=1)]


def test_two_ranks_equal_one() -> None:
    results = run_ranks(_rank, 2)
    for number, kind in enumerate(KINDS):
        total, gradient = _part(slice(0, 7), kind)
        parts = [result[number] for result in results]
        mean = float(torch.stack([part[0] for part in parts]).mean())
        assert mean == pytest.approx(float(total), abs=1e-5)
        found = torch.cat([part[1] for part in parts]) / 2  # averaged over ranks
        assert torch.allclose(found, gradient, atol=1e-6)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_negatives=0), 'num_negatives is 0'),
        (dict(invariance=-1), 'invariance is -1'),
        (dict(kl_pair='both'), "kl_pair is 'both'; expected one of swapped, one_pair"),
        (dict(frozen='all'), "frozen is 'all'; expected one of entropy, target, none"),
        (dict(mixing=dict(num_hard=2, mixers=[])), 'mixing|mixers'),
        (dict(negatives=dict(beta=1.0)), 'negatives is .* InvarianceHead'),
        (dict(memory=dict(type='FeatureQueue', length=4, dim=4)), 'InvarianceHead needs none'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InvarianceHead(**settings)


def test_more_negatives_than_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match='num_negatives is 3 but the batch of all ranks has 3'):
        head(num_negatives=3).loss_views(ONLINE, TARGET)
