"""kNN scores against a loop over pairs in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.knn import knn_predict, knn_scores, nearest_in_bank


def slow_scores(
    queries: Tensor, bank: Tensor, labels: Tensor, num_classes: int, k: int, temperature: float
) -> Tensor:
    """Sort all cosines of a query, let the first k vote exp(cosine / temperature)."""
    result = torch.zeros(len(queries), num_classes, dtype=torch.float64)
    for q, query in enumerate(queries.double()):
        near = []
        for row, label in zip(bank.double(), labels.tolist(), strict=True):
            cosine = sum(a * b for a, b in zip(query.tolist(), row.tolist(), strict=True))
            near.append((cosine / math.sqrt(float(query @ query) * float(row @ row)), label))
        near.sort(key=lambda pair: -pair[0])
        for cosine, label in near[:k]:
            result[q, label] += math.exp(cosine / temperature)
        result[q] /= result[q].sum()
    return result


def make(q: int, m: int, c: int = 5, classes: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(100 * q + m)
    queries = 3 * torch.randn(q, c, generator=generator)
    bank = 0.2 * torch.randn(m, c, generator=generator)
    return queries, bank, torch.randint(0, classes, (m,), generator=generator)


@pytest.mark.parametrize('temperature', [0.07, 1.0])
@pytest.mark.parametrize(
    ('q', 'm', 'k'), [(1, 1, 1), (3, 7, 1), (3, 7, 7), (5, 8, 7), (4, 13, 6), (9, 12, 5)]
)
@pytest.mark.parametrize('chunks', [(1, 1), (4, 4), (3, 6), (100, 100)])
def test_equals_the_loop_for_any_chunking(
    q: int, m: int, k: int, temperature: float, chunks: tuple[int, int]
) -> None:
    queries, bank, labels = make(q, m)
    scores = knn_predict(queries, bank, labels, 4, k, temperature, *chunks)
    assert scores.dtype == torch.float32
    expected = slow_scores(queries, bank, labels, 4, k, temperature)
    torch.testing.assert_close(scores.double(), expected, rtol=1e-4, atol=1e-6)


def test_several_k_share_one_search() -> None:
    queries, bank, labels = make(6, 20)
    by_k = knn_scores(queries, bank, labels, 4, [1, 3, 20], 0.1, query_chunk=4, bank_chunk=7)
    assert list(by_k) == [1, 3, 20]
    for k, scores in by_k.items():
        expected = slow_scores(queries, bank, labels, 4, k, 0.1)
        torch.testing.assert_close(scores.double(), expected, rtol=1e-4, atol=1e-6)


def test_neighbors_come_nearest_first() -> None:
    bank = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.0]])
    similarity, labels = nearest_in_bank(
        torch.tensor([[5.0, 0.0]]), bank, torch.arange(4), 3, bank_chunk=2
    )
    assert labels.tolist() == [[0, 2, 1]]
    torch.testing.assert_close(similarity, torch.tensor([[1.0, 2**-0.5, 0.0]]))


def test_a_small_temperature_does_not_overflow() -> None:
    queries, bank, labels = make(4, 9)
    scores = knn_predict(queries, bank, labels, 4, 5, temperature=1e-3)
    expected = slow_scores(queries, bank, labels, 4, 5, temperature=2e-3)
    assert torch.isfinite(scores).all()
    assert scores.argmax(1).tolist() == expected.argmax(1).tolist()


@pytest.mark.parametrize('scale', [1e-30, 1e-20, 1e19, 1e20, 1e30])
def test_length_does_not_matter(scale: float) -> None:
    queries, bank, labels = make(4, 9)
    expected, near = nearest_in_bank(queries, bank, labels, 5)
    similarity, found = nearest_in_bank(queries * scale, bank * scale, labels, 5)
    torch.testing.assert_close(similarity, expected)
    assert torch.equal(found, near)


def test_half_precision_input_is_compared_in_float32() -> None:
    queries, bank, labels = make(5, 11)
    queries, bank = queries.half(), bank.half()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        similarity, _ = nearest_in_bank(queries, bank, labels, 4)
    expected, _ = nearest_in_bank(queries.double(), bank.double(), labels, 4)
    torch.testing.assert_close(similarity, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(k=9), 'k is 9 but the bank holds 8 rows'),
        (dict(k=0), r'k is \[0\]'),
        (dict(k=1.5), r'k is \[1.5\]'),
        (dict(temperature=0.0), 'temperature is 0.0'),
        (dict(bank_labels=torch.tensor([0, 1, -1, 0, 0, 0, -1, 0])), r'label -1 \(2 of 8 rows\)'),
        (dict(num_classes=1), 'expected 0 to 0'),
        (dict(queries=torch.zeros(0, 5)), r'queries has shape \(0, 5\)'),
        (
            dict(bank=torch.zeros(0, 5), bank_labels=torch.zeros(0, dtype=torch.int64)),
            r'bank has shape \(0, 5\)',
        ),
        (dict(queries=torch.ones(2, 6)), 'queries are 6 wide, the bank 5'),
        (dict(bank_labels=torch.zeros(7, dtype=torch.int64)), r'shape \(7,\) for 8 bank rows'),
        (dict(queries=torch.full((1, 5), math.nan)), 'not finite'),
    ],
)
def test_errors(change: dict, message: str) -> None:
    queries, bank, labels = make(2, 8, classes=2)
    arguments = dict(queries=queries, bank=bank, bank_labels=labels, num_classes=2, k=3)
    with pytest.raises(ValueError, match=message):
        knn_predict(**{**arguments, **change})


@pytest.mark.parametrize('ks', [[3, 0], [3, True], [2.0, 3], []])
def test_one_bad_k_among_several(ks: list) -> None:
    with pytest.raises(ValueError, match=r'k is \['):
        knn_scores(*make(2, 8), 4, ks)


def test_one_damaged_bank_row_is_an_error() -> None:
    queries, bank, labels = make(2, 8)
    bank[5, 2] = math.inf
    with pytest.raises(ValueError, match='not finite'):
        knn_predict(queries, bank, labels, 4, 1, bank_chunk=3)
