"""DenseCL's objective: worked values, the slow loop, ranks, a resumed run, what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ContrastiveHead, DenseContrastiveHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing
from mochi_mm.randomness import StepKey
from mochi_mm.structures import HardNegatives, Plan, Views
from tests.models.algorithms.toy import build_moco, moco_config
from tests.models.heads.toy import DIM, LENGTH, FixedPair, FixedQuery, memory, synthetic
from tests.ranks import run_ranks
from tests.reference import dot, info_nce_loop, random_units, unit
from tests.toy_runner import runner_config, train

# Two cells of an image: embeddings, and the features that match them.
QUERY = {0: torch.tensor([[(0.8, 0.6), (0.96, 0.28)]])}
KEY = {1: torch.tensor([[(0.0, 1.0), (0.96, 0.28)]])}
MAPS = (
    {0: torch.tensor([[(1.0, 0), (0.28, 0.96)]])},
    {1: torch.tensor([[(0.6, 0.8), (0.96, 0.28)]])},
)
NEGATIVES = [(0.96, 0.28), (-0.6, 0.8)]
T = 0.2


def queue(rows: list[tuple[float, float]]) -> FeatureQueue:
    held = FeatureQueue(len(rows), 2)
    held.enqueue(torch.tensor(rows))
    return held


def loss(head: Any, *views: Any) -> dict[str, float]:
    found = head.loss_views(*views)
    return {name: float(value.detach()) for name, value in found.items()}


def test_worked_values() -> None:
    dense = loss(DenseContrastiveHead(queue(NEGATIVES)), QUERY, KEY, {}, *MAPS)
    assert dense['loss_contrast'] == pytest.approx(2.162930, abs=1e-6)
    assert dense['chance_level'] == pytest.approx(math.log(3))
    assert (dense['share_same_cell'], dense['acc_contrast']) == (0.0, 0.0)
    single = ContrastiveHead(queue([(0.6, 0.8), (0.0, 1.0)]))
    whole = loss(single, {0: torch.tensor([[0.8, 0.6]])}, {1: torch.tensor([[1.0, 0.0]])})
    assert whole['loss_contrast'] == pytest.approx(1.279104, abs=1e-6)
    for share, total in ((0.5, 1.721017), (0.7, 1.897783)):
        head = DenseContrastiveHead(queue(NEGATIVES), weight=share)
        weighted = loss(head, QUERY, KEY, {}, *MAPS)['loss_contrast']
        assert weighted + (1 - share) * whole['loss_contrast'] == pytest.approx(total, abs=1e-6)


def test_worked_values_of_each_cell() -> None:
    head = DenseContrastiveHead(queue(NEGATIVES))
    step = head.compute(Views(QUERY, KEY, {}, *MAPS))
    assert step.anchors is not None
    rows = head.objective(step.anchors, step.blocks)
    assert rows.tolist() == pytest.approx([0.697776, 3.628085], abs=1e-6)
    same = (MAPS[0], {1: MAPS[0][0]})  # equal maps: each cell is its own match
    by_place = loss(DenseContrastiveHead(queue(NEGATIVES)), QUERY, KEY, {}, *same)
    assert by_place['loss_contrast'] == pytest.approx(1.276210, abs=1e-6)
    assert by_place['share_same_cell'] == 1.0
    by_embedding = loss(DenseContrastiveHead(queue(NEGATIVES)), QUERY, KEY, {}, QUERY, KEY)
    assert by_embedding['loss_contrast'] == pytest.approx(0.695751, abs=1e-6)


class QuarterPair(PairMixing):
    """A quarter of the first queue row and the rest of the second."""

    def plan(self, hard: HardNegatives, generator: torch.Generator | None = None) -> Plan:
        first = hard.index.argsort(1)[:, :1]  # where row 0 stands among the hardest
        return Plan(first, torch.full(first.shape, 0.25), 1 - first)


def test_worked_value_of_a_mixture() -> None:
    mixing = dict(num_hard=2, mixers=[QuarterPair(1)])
    head = DenseContrastiveHead(queue(NEGATIVES), mixing=mixing)
    step = head.compute(Views(QUERY, KEY, {}, *MAPS))
    assert step.anchors is not None
    assert float(step.block('synthetic').similarity[0]) == pytest.approx(0.333267, abs=1e-6)
    assert float(head.objective(step.anchors, step.blocks)[0]) == pytest.approx(0.721924, abs=1e-6)


def test_worked_value_of_the_key_that_is_written() -> None:
    """The mean of raw cells: their lengths count."""
    raw = {1: torch.tensor([[(0.0, 2.0), (0.96, 0.28)]])}
    for keys, expected in ((raw, (0.388057, 0.921635)), (KEY, (0.6, 0.8))):
        head = DenseContrastiveHead(queue(NEGATIVES))
        head.loss_views(QUERY, keys, dict(sample_idx=torch.tensor([7])), *MAPS)
        assert head.memory.features[0].tolist() == pytest.approx(expected, abs=1e-6)
        assert head.memory.indices.tolist() == [7, -1]


def cells(images: int, count: int) -> tuple[Any, Any, Any, Any]:
    """Raw cells of two views of both encoders and their maps, of different lengths."""
    generator = torch.Generator().manual_seed(images)
    rows = torch.randn(4, images, count, DIM, generator=generator)
    maps = torch.randn(4, images, count, 9, generator=generator).relu()
    scaled = rows * torch.linspace(0.5, 3, count)[:, None]
    sides = [{0: part[0], 1: part[1]} for part in (scaled[:2], scaled[2:], maps[:2], maps[2:])]
    return sides[0], sides[1], sides[2], sides[3]


def by_definition(head: Any, sides: Any, samples: dict[str, Tensor]) -> tuple[float, float]:
    """Loss and share of cells that match their own place, in float64."""
    query, key, maps, others = sides
    bank, indices = head.memory.features.double(), head.memory.indices.tolist()
    losses, same = [], []
    for i, j in ((0, 1), (1, 0)):
        for b in range(len(query[i])):
            for p, cell in enumerate(query[i][b]):
                q, place = unit(cell.double()), unit(maps[i][b, p].double())
                near = [dot(place, unit(row.double())) for row in others[j][b]]
                match = max(range(len(near)), key=near.__getitem__)
                kept = [n for n in range(len(bank)) if indices[n] != int(samples['sample_idx'][b])]
                cosines = {n: dot(q, bank[n]) for n in kept}
                made: list[float] = []
                if head.mixing.active:
                    hard = sorted(kept, key=lambda n, c=cosines: -c[n])[: head.mixing.num_hard]
                    made = synthetic(q, [bank[n] for n in hard], head.mixing.mixers)
                negatives = [*cosines.values(), *made]
                own = dot(q, unit(key[j][b, match].double()))
                losses.append(info_nce_loop(own, negatives, head.temperature))
                same.append(match == p)
    return sum(losses) / len(losses), sum(same) / len(same)


def mixed_head() -> DenseContrastiveHead:
    mixing = dict(num_hard=4, mixers=[FixedPair(5), FixedQuery(3)])
    return DenseContrastiveHead(memory(), 0.3, mixing=mixing, mask_own_keys=True)


@pytest.mark.parametrize(('images', 'count'), [(1, 1), (3, 4), (5, 7)])
@pytest.mark.parametrize('mixed', [False, True])
def test_equals_the_loop(images: int, count: int, mixed: bool) -> None:
    head = mixed_head() if mixed else DenseContrastiveHead(memory(), 0.3, mask_own_keys=True)
    sides, samples = cells(images, count), dict(sample_idx=torch.arange(images) + 5)
    expected = by_definition(head, sides, samples)
    found = loss(head, sides[0], sides[1], samples, *sides[2:])
    assert (found['loss_contrast'], found['share_same_cell']) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(mask_own_keys=True),
        dict(oracle_loss=True, oracle_mix=True),
        dict(negatives=dict(beta=1.0, tau_plus=0.1)),
        dict(removal=dict(rule='oracle')),
        dict(threshold=dict(length=11, alpha=0.3, lr=0.5)),
    ],
)
def test_a_map_of_one_cell_is_moco_with_all_that_the_frame_gives(options: Any) -> None:
    sides = cells(5, 1)
    samples = dict(gt_label=torch.arange(5) % 3, sample_idx=torch.arange(5))
    mixing = dict(num_hard=4, mixers=[FixedPair(5), FixedQuery(3)])
    dense = DenseContrastiveHead(memory(), T, mixing=mixing, **options)
    plain = ContrastiveHead(memory(), T, mixing=mixing, **options)
    pooled = [{view: rows[:, 0] for view, rows in side.items()} for side in sides[:2]]
    for _ in range(2):
        found = dense.loss_views(sides[0], sides[1], samples, *sides[2:])
        expected = plain.loss_views(pooled[0], pooled[1], samples)
        assert float(found.pop('share_same_cell')) == 1.0
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, msg=name)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(dense.state_dict()[name], value, msg=name)


def test_gradient_flows_into_the_embeddings_of_the_queries_alone() -> None:
    sides = cells(2, 3)
    for rows in (rows for side in sides for rows in side.values()):
        rows.requires_grad_()
    samples = dict(sample_idx=torch.arange(2))
    mixed_head().loss_views(sides[0], sides[1], samples, *sides[2:])['loss_contrast'].backward()
    assert all(float(rows.grad.abs().sum()) > 0 for rows in sides[0].values())
    assert all(rows.grad is None for side in sides[1:] for rows in side.values())


NECK = dict(type='DenseCLNeck', in_channels=64, out_channels=8)
DENSE = dict(
    type='DenseContrastiveHead',
    memory=dict(type='FeatureQueue', length=16, dim=8),
    mixing=dict(
        type='HardNegativeMixing',
        num_hard=6,
        mixers=[dict(type='PairMixing', num=4), dict(type='QueryMixing', num=3)],
    ),
)


def test_a_resumed_run_is_the_same(tmp_path: Path) -> None:
    """Both queues are in the checkpoint, and mixing is keyed by the step."""

    def config(name: str, **changes: Any) -> Any:
        model = moco_config(neck=NECK, heads=dict(dense=DENSE))
        return runner_config(tmp_path / name, 2, 8, model=dict(model, _delete_=True), **changes)

    whole = train(config('whole')).model.state_dict()
    first = str(tmp_path / 'whole/epoch_1.pth')
    resumed = train(config('resumed', resume=True, load_from=first)).model.state_dict()
    assert int(whole['heads.dense.memory.count']) == int(whole['head.memory.count']) == 16
    assert all(torch.equal(whole[name], value) for name, value in resumed.items())


def _step(part: slice) -> dict[str, Tensor]:
    """A step on a part of seven images: loss, gradients, and the memory after it."""
    sides = [{v: rows[part].clone() for v, rows in side.items()} for side in cells(7, 3)]
    for rows in sides[0].values():
        rows.requires_grad_()
    head, samples = mixed_head(), dict(sample_idx=torch.arange(7)[part])
    held = FeatureQueue(LENGTH, DIM)  # written at once: all ranks would enqueue
    held.features[:8], held.indices[:8] = random_units(8, DIM, 40).float(), torch.arange(8)
    held.count.fill_(8), held.pointer.fill_(8)
    head.memory = held
    found = head.loss_views(sides[0], sides[1], samples, *sides[2:])['loss_contrast']
    found.backward()
    gradient = torch.stack([rows.grad for rows in sides[0].values() if rows.grad is not None], 1)
    return dict(loss=found.detach(), gradient=gradient, **head.memory.state_dict())


def _shuffled(part: slice, rank: int) -> dict[str, Tensor]:
    """Cells of keys that were encoded in groups from all ranks."""
    model = build_moco(neck=NECK, heads=dict(dense=DENSE), batch_shuffle='auto').eval()
    model.set_step(StepKey(0, 3, rank))
    images = torch.randn(7, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    keys = model.embed_keys({1: images[part]})[1].cells
    return dict(maps=keys.backbone, cells=keys.neck)


def _rank(rank: int) -> dict[str, Tensor]:
    part = slice(0, 3) if rank == 0 else slice(3, 7)
    return _step(part) | _shuffled(part, rank)


def test_two_ranks_equal_one() -> None:
    results = run_ranks(_rank, 2)
    whole = _step(slice(0, 7))
    mean = float(torch.stack([result['loss'] for result in results]).mean())
    assert mean == pytest.approx(float(whole['loss']), abs=1e-6)
    gradient = torch.cat([result['gradient'] for result in results]) / 2  # averaged over ranks
    torch.testing.assert_close(gradient, whole['gradient'], rtol=1e-5, atol=1e-7)
    for result in results:
        for name in ('features', 'indices', 'pointer', 'count'):
            torch.testing.assert_close(result[name], whole[name])
    plain = _shuffled(slice(0, 7), 0)  # one process: in other groups, which evaluation ignores
    for name, rows in plain.items():
        found = torch.cat([result[name] for result in results])
        torch.testing.assert_close(found, rows, rtol=1e-4, atol=1e-5)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='DenseContrastiveHead needs a memory'):
        DenseContrastiveHead()
    with pytest.raises(ValueError, match="tap is 'backbone'; .* expected 'cells'"):
        DenseContrastiveHead(queue(NEGATIVES), tap='backbone')
    with pytest.raises(ValueError, match='backbone features of the query cells of view 0 are None'):
        DenseContrastiveHead(queue(NEGATIVES)).loss_views(QUERY, KEY)
