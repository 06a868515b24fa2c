"""The table against a dictionary: writing, looking up, ranks, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.memories import SampleTable
from mochi_mm.structures import DataFacts
from tests.models.memories.toy import WritesOfRows
from tests.ranks import run_ranks

LENGTH = 7
COLUMNS = ('label', 'confidence', 'threshold', 'weight')


def facts(images: int) -> DataFacts:
    return DataFacts(images, [], torch.empty(0, dtype=torch.long), torch.zeros(images).bool())


def test_starts_unknown() -> None:
    table = SampleTable(LENGTH, COLUMNS)
    every = torch.arange(LENGTH)
    for name, value, dtype in (
        ('label', -1, torch.int64),
        ('confidence', 0, torch.float32),
        ('threshold', 1, torch.float32),
        ('weight', 1, torch.float32),
    ):
        column = table.look_up(name, every)
        assert column.tolist() == [value] * LENGTH and column.dtype == dtype, name


@pytest.mark.parametrize('ids', [[3], [0, 6, 2], [1, 1, 4, 1], []])
def test_equals_a_dictionary(ids: list[int]) -> None:
    """Of an image that comes twice, the last counts; what is not written stays."""
    table, known = SampleTable(LENGTH), {}
    for step in range(2):
        labels = torch.arange(len(ids)) + 10 * step
        table.write(torch.tensor(ids, dtype=torch.long), label=labels, confidence=labels / 100)
        known.update(zip(ids, labels.tolist(), strict=True))
        asked = torch.tensor([*range(LENGTH), -1, 0])
        expected = [known.get(i, -1) for i in asked.tolist()]
        assert table.look_up('label', asked).tolist() == expected
        shares = [known[i] / 100 if i in known else 0 for i in asked.tolist()]
        assert table.look_up('confidence', asked).tolist() == pytest.approx(shares)


def test_which_of_two_writes_counts_is_not_left_to_the_device() -> None:
    with WritesOfRows() as writes:
        SampleTable(LENGTH).write(torch.tensor([1, 2, 1]), label=torch.tensor([3, 4, 5]))
    assert writes.twice == 1


def test_unknown_images_have_the_unknown_value() -> None:
    """Though -1 would be the last row."""
    table = SampleTable(3, COLUMNS)
    written = {name: torch.tensor([5.0]) for name in COLUMNS}
    table.write(torch.tensor([2]), **written)
    for name, unknown in zip(COLUMNS, (-1, 0, 1, 1), strict=True):
        assert table.look_up(name, torch.tensor([2, -1])).tolist() == [5, unknown]


def test_a_state_dict_holds_everything() -> None:
    table, other = SampleTable(4, COLUMNS), SampleTable(4, COLUMNS)
    table.write(torch.tensor([1, 2]), label=torch.tensor([3, 4]), weight=torch.tensor([0.5, 0.25]))
    other.load_state_dict(table.state_dict())
    assert tuple(table.state_dict()) == COLUMNS
    for name in COLUMNS:
        assert torch.equal(table.get_buffer(name), other.get_buffer(name)), name


def batch(size: int, step: int) -> Any:
    ids = (torch.arange(size) * 3 + step) % 5
    return ids, torch.arange(size) + 10 * step


def written(rank: int, batches: list[list[int]]) -> dict[str, torch.Tensor]:
    table = SampleTable(LENGTH)
    for step, splits in enumerate(batches):
        ids, labels = (part.split(splits)[rank] for part in batch(sum(splits), step))
        table.write(ids, label=labels, confidence=labels / 7)
    return dict(table.state_dict())


def test_two_ranks_equal_one() -> None:
    """With images that come on both ranks: the last in rank order counts."""
    batches = [[2, 2], [5, 2], [3, 0]]
    table = SampleTable(LENGTH)
    for step, splits in enumerate(batches):
        ids, labels = batch(sum(splits), step)
        table.write(ids, label=labels, confidence=labels / 7)
    for state in run_ranks(written, 2, batches):
        for name, value in table.state_dict().items():
            assert torch.equal(state[name], value), name


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match='SampleTable length is 0'):
        SampleTable(0)
    with pytest.raises(ValueError, match=r"hold \['mood'\]; expected some of label, cluster"):
        SampleTable(3, ['label', 'mood'])
    table = SampleTable(4)
    with pytest.raises(KeyError, match="no column 'weight', only label, confidence"):
        table.look_up('weight', torch.tensor([0]))
    with pytest.raises(KeyError, match="no column 'weight'"):
        table.write(torch.tensor([0]), weight=torch.tensor([0.5]))
    table.set_data(facts(4))
    for images in (3, 5):
        with pytest.raises(ValueError, match=f'has 4 rows but the data set {images} images'):
            table.set_data(facts(images))


@pytest.mark.parametrize(
    ('indices', 'values', 'message'),
    [
        ([0, 1], [5], r'label of shape \(1,\) for 2 rows of the table; expected one value'),
        ([0, 4], [5, 6], 'the sample 4 has no row in the table, whose rows are 0 to 3; set length'),
        ([-1, 0], [5, 6], 'the sample -1 has no row'),
        ([[0], [1]], [[5], [6]], r'indices is a tensor of shape \(2, 1\)'),
        ([0.0, 1.0], [5, 6], 'indices is a tensor of shape .* of torch.float32'),
    ],
)
def test_rows_that_do_not_fit_are_refused(indices: Any, values: Any, message: str) -> None:
    table = SampleTable(4)
    with pytest.raises(ValueError, match=message):
        table.write(torch.tensor(indices), label=torch.tensor(values))
    assert table.label.tolist() == [-1] * 4
    if len(values) == 2 and indices != [-1, 0]:
        with pytest.raises(ValueError, match=message):
            table.look_up('label', torch.tensor(indices))
    # Values on an accelerator are not read.
    table.to('meta').look_up('label', torch.zeros(2, dtype=torch.int64, device='meta'))
