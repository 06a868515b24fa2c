"""The instance bank against a plain dictionary of rows."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.memories import InstanceBank
from mochi_mm.structures import DataFacts
from tests.models.memories.toy import WritesOfRows
from tests.ranks import run_ranks
from tests.reference import random_units, unit

LENGTH, DIM = 7, 3


def enqueue_loop(
    rows: torch.Tensor, features: torch.Tensor, ids: list[int], ema_decay: float
) -> torch.Tensor:
    """What the rows become; of an image that comes twice, the last counts."""
    result = rows.double().clone()
    for i in set(ids):
        last = max(place for place, value in enumerate(ids) if value == i)
        old, new = rows[i].double(), features[last].double()
        result[i] = unit(ema_decay * old + (1 - ema_decay) * new)
    return result


@pytest.mark.parametrize('ema_decay', [0.0, 0.5, 0.9])
@pytest.mark.parametrize('ids', [[3], [0, 6, 2], [1, 1, 4, 1], list(range(LENGTH))])
def test_equals_the_loop(ids: list[int], ema_decay: float) -> None:
    bank = InstanceBank(LENGTH, DIM, ema_decay)
    expected = bank.snapshot()
    for step in range(3):
        features = random_units(len(ids), DIM, step).float()
        expected = enqueue_loop(expected, features, ids, ema_decay).float()
        bank.enqueue(features, torch.arange(len(ids)) + 10, torch.tensor(ids))
        torch.testing.assert_close(bank.features, expected, rtol=1e-6, atol=1e-6)
    for i in range(LENGTH):
        last = max((p for p, value in enumerate(ids) if value == i), default=None)
        assert int(bank.labels[i]) == (-1 if last is None else last + 10)
        assert int(bank.indices[i]) == (-1 if last is None else i)
    assert float(bank.fill()) == pytest.approx(len(set(ids)) / LENGTH)


@pytest.mark.parametrize('away', [0.0, 1e-7, 1e-4, 1e-2, 0.019, 0.021, 0.1])
def test_an_opposite_feature(away: float) -> None:
    """Half and half with a feature ``away`` from opposite: half of that is left."""
    bank = InstanceBank(2, 2)
    old = torch.tensor([0.6, 0.8])
    bank.features.copy_(old.expand(2, 2))
    angle = torch.tensor(math.pi - away, dtype=torch.float64)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(2, 2)
    feature = (turn @ old.double()).float()
    bank.enqueue(feature[None], indices=torch.tensor([1]))
    length = float((0.5 * old.double() + 0.5 * feature.double()).norm())
    expected = old if length < 0.01 else unit(0.5 * old.double() + 0.5 * feature.double()).float()
    torch.testing.assert_close(bank.features[1], expected, rtol=0, atol=1e-5)
    assert float(bank.features[1].norm()) == pytest.approx(1, abs=1e-6)
    assert bank.held().tolist() == [False, True]


def test_which_of_two_writes_counts_is_not_left_to_the_device() -> None:
    bank = InstanceBank(LENGTH, DIM)
    with WritesOfRows() as writes:
        bank.enqueue(random_units(3, DIM, 0).float(), torch.arange(3), torch.tensor([1, 2, 1]))
    assert writes.twice == 3  # of features, labels and indices


def test_worked_rows() -> None:
    """The rows of CMC's worked example after one update."""
    bank = InstanceBank(4, 2)
    rows = [
        [[1, 0], [0, 1], [-1, 0], [0, -1]],
        [[0.6, 0.8], [-0.8, 0.6], [-0.6, -0.8], [0.8, -0.6]],
    ]
    new = [[[0.8, 0.6], [0.0, 1.0]], [[1.0, 0.0], [-0.6, 0.8]]]
    wanted = [[[0.948683, 0.316228], [0, 1]], [[0.894427, 0.447214], [-0.707107, 0.707107]]]
    for start, features, expected in zip(rows, new, wanted, strict=True):
        bank.features.copy_(torch.tensor(start))
        bank.enqueue(torch.tensor(features), indices=torch.tensor([0, 1]))
        torch.testing.assert_close(bank.features[:2], torch.tensor(expected), rtol=0, atol=1e-6)


def test_starts_with_unit_rows_that_are_the_same_everywhere() -> None:
    bank = InstanceBank(50, 8)
    torch.testing.assert_close(bank.features.norm(dim=1), torch.ones(50))
    torch.manual_seed(1)
    assert torch.equal(bank.features, InstanceBank(50, 8).features)


def test_state_dict_holds_everything() -> None:
    bank, other = InstanceBank(LENGTH, DIM), InstanceBank(LENGTH, DIM, init_seed=4)
    bank.enqueue(random_units(3, DIM, 0).float(), torch.arange(3), torch.tensor([5, 0, 2]))
    other.load_state_dict(bank.state_dict())
    for one in (bank, other):
        one.enqueue(random_units(2, DIM, 1).float(), None, torch.tensor([5, 1]))
    assert set(bank.state_dict()) == {'features', 'labels', 'indices'}
    for name, value in bank.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_masks() -> None:
    bank = InstanceBank(4, DIM)
    bank.enqueue(random_units(2, DIM, 0).float(), torch.tensor([5, 6]), torch.tensor([1, 3]))
    assert bank.own_keys(torch.tensor([3, -1])).tolist() == [[False] * 3 + [True], [False] * 4]
    assert bank.same_label(torch.tensor([5, -1])).tolist() == [
        [False, True, False, False],
        [False] * 4,
    ]
    assert bank.held().tolist() == [False, True, False, True]


def on_a_rank(rank: int, batches: list[list[int]]) -> dict[str, torch.Tensor]:
    bank = InstanceBank(LENGTH, DIM)
    for step, splits in enumerate(batches):
        features = random_units(sum(splits), DIM, step).float().split(splits)[rank]
        ids = ((torch.arange(sum(splits)) * 3 + step) % 5).split(splits)[rank]
        bank.enqueue(features, ids + 1, ids)
    return dict(bank.state_dict())


def test_two_ranks_equal_one() -> None:
    """With images that come on both ranks."""
    batches = [[2, 2], [5, 2], [1, 4]]
    bank = InstanceBank(LENGTH, DIM)
    for step, splits in enumerate(batches):
        ids = (torch.arange(sum(splits)) * 3 + step) % 5
        bank.enqueue(random_units(sum(splits), DIM, step).float(), ids + 1, ids)
    for state in run_ranks(on_a_rank, 2, batches):
        for name, value in bank.state_dict().items():
            assert torch.equal(state[name], value), name


def test_bad_settings_and_batches() -> None:
    with pytest.raises(ValueError, match='InstanceBank length is 0'):
        InstanceBank(0)
    with pytest.raises(ValueError, match=r'ema_decay is 1; expected .* \[0, 1\)'):
        InstanceBank(4, ema_decay=1)
    bank = InstanceBank(4, DIM)
    with pytest.raises(ValueError, match='has 4 rows but the data set 5 images.*length.*to 5'):
        bank.set_data(facts(5))
    bank.set_data(facts(4))
    features = random_units(2, DIM, 0).float()
    with pytest.raises(ValueError, match='needs the data set index of every sample, got none'):
        bank.enqueue(features)
    for wrong in (4, -1):
        with pytest.raises(ValueError, match=f'the sample {wrong} but .* rows 0 to 3'):
            bank.enqueue(features, None, torch.tensor([0, wrong]))
        with pytest.raises(ValueError, match=f'the sample {wrong} but .* rows 0 to 3'):
            bank.check_samples(dict(sample_idx=torch.tensor([0, wrong])))
    with pytest.raises(ValueError, match='needs the data set index of every sample, got none'):
        bank.check_samples({})
    bank.check_samples(dict(sample_idx=torch.tensor([3, 0])))
    assert float(bank.fill()) == 0


def facts(images: int) -> DataFacts:
    return DataFacts(images, [], torch.empty(0, dtype=torch.long), torch.zeros(images).bool())


@pytest.mark.parametrize('wrong', [float('nan'), float('inf')])
def test_a_feature_that_is_not_finite_moves_nothing(wrong: float) -> None:
    """Of an image that comes twice, the last finite feature counts."""
    bank, expected = InstanceBank(LENGTH, DIM), InstanceBank(LENGTH, DIM)
    features = random_units(4, DIM, 0).float()
    expected.enqueue(features[:1], torch.tensor([7]), torch.tensor([2]))
    features[1:3, 1] = wrong
    bank.enqueue(features[:3], torch.tensor([7, 8, 9]), torch.tensor([2, 2, 5]))
    for name, value in expected.state_dict().items():
        assert torch.equal(value, bank.state_dict()[name]), name


def test_no_rows_write_nothing() -> None:
    bank = InstanceBank(4, 2)
    bank.enqueue(torch.zeros(0, 2), indices=torch.zeros(0, dtype=torch.int64))
    assert bank.indices.tolist() == [-1] * 4
    with pytest.raises(ValueError, match=r'sample_idx is a tensor of shape \(2, 1\)'):
        bank.enqueue(torch.zeros(2, 2), indices=torch.zeros(2, 1, dtype=torch.int64))
