"""Retrieval of features: the loop over pairs, any number at a time, leave-one-out, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.retrieval import retrieval, retrieval_evaluate
from tests.evaluation.test_retrieval_metrics import by_definition
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.reference import dot, unit

NAMES = dict(
    mAP='plain', r_precision='r_precision', map_at_r='at_r', recall_k2='any', found_k2='found'
)


def loop(
    queries: Tensor, labels: Tensor, bank: Tensor, bank_labels: Tensor, itself: bool
) -> dict[str, float]:
    """Means over the queries that have a positive, in percent, from float64 cosines."""
    rankings, rows = [], [unit(row.double()) for row in bank]
    for q, query in enumerate(queries):
        near = {
            m: dot(unit(query.double()), row)
            for m, row in enumerate(rows)
            if not (itself and m == q)
        }
        order = sorted(near, key=lambda m, n=near: -n[m])
        rankings.append([int(bank_labels[m]) == int(labels[q]) for m in order])
    counted = [by_definition(order, 2) for order in rankings if any(order)]
    found = {
        f'retrieval/{name}': 100 * sum(values[key] for values in counted) / len(counted)
        for name, key in NAMES.items()
    }
    return {**found, 'retrieval/share_counted': 100 * len(counted) / len(queries)}


def rows(number: int, seed: int) -> tuple[Tensor, Tensor]:
    """Features of any scale, the last image alone in its class."""
    generator = torch.Generator().manual_seed(seed)
    features = (
        torch.randn(number, 5, generator=generator) * torch.linspace(1e-3, 1e3, number)[:, None]
    )
    labels = torch.arange(number) % 3
    labels[-1] = 3
    return features, labels


@pytest.mark.parametrize('elements', [1, 25, 2**20])
@pytest.mark.parametrize('itself', [False, True])
def test_equals_the_loop_for_any_number_at_a_time(elements: int, itself: bool) -> None:
    bank, bank_labels = rows(12, 1)
    queries, labels = (bank, bank_labels) if itself else rows(7, 2)
    found = retrieval(queries, labels, bank, bank_labels, [2], itself, elements=elements)
    assert found == pytest.approx(loop(queries, labels, bank, bank_labels, itself), abs=1e-9)
    assert (found['retrieval/share_counted'] < 100) == itself


def test_the_trapezoid_is_another_figure() -> None:
    data = (*rows(7, 2), *rows(12, 1))
    plain, other = (
        retrieval(*data, [2], method=m)['retrieval/mAP'] for m in ('plain', 'trapezoid')
    )
    assert other < plain


def test_features_that_are_all_alike_find_nothing() -> None:
    labels = torch.arange(20) % 4
    found = retrieval(torch.ones(20, 3), labels, torch.ones(20, 3), labels, [1])
    assert found['retrieval/recall_k1'] == 0.0 and found['retrieval/mAP'] < 20


GOOD: dict[str, Any] = dict(
    queries=torch.eye(3), labels=torch.arange(3), bank=torch.eye(3), bank_labels=torch.arange(3)
)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(k=[0]), r'k is \[0\]; expected one or more integers'),
        (dict(k=[4]), 'k is 4 but a query has 3 candidates'),
        (dict(k=[3], itself=True), 'k is 3 but a query has 2 candidates'),
        (dict(k=[2], itself=True), 'none of the 3 queries has another image of its class'),
        (dict(k=[1], labels=torch.tensor([0, -1, 2])), '1 of 3 labels of the queries are below 0'),
        (dict(k=[1], bank_labels=torch.zeros(3)), 'all 3 images of the bank are of one class'),
        (dict(k=[1], bank_labels=torch.arange(2)), r'bank have the shape \(3, 3\) and labels \(2,'),
        (
            dict(k=[1], queries=torch.ones(3, 2)),
            r'\(3, 2\) and the bank \(3, 3\); expected one wid',
        ),
        (dict(k=[1], method='mean'), "the method is 'mean'"),
        (dict(k=[1], bank=torch.full((3, 3), torch.nan)), 'the features are not finite'),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        retrieval(**{**GOOD, **changes})


def test_of_loaders() -> None:
    """Of a network; the images of one loader are searched among the others."""
    model, bank, queries = toy_model(), ToyImages(30, noise=1000), ToyImages(12, 1, noise=1000)
    training = model.training
    loaders = toy_loader(bank), toy_loader(queries)
    features = [extract_features(model, loader, False) for loader in loaders]
    found = retrieval_evaluate(model, *loaders, [2], progress=False)
    assert found == pytest.approx(loop(*features[1], *features[0], False), abs=1e-3)
    same = retrieval_evaluate(model, loaders[1], loaders[1], [2], progress=False)
    assert same == pytest.approx(loop(*features[1], *features[1], True), abs=1e-3)
    assert model.training == training


@pytest.mark.parametrize(
    ('bank', 'queries', 'message'),
    [
        (ToyImages(9), ToyImages(12, 1), 'k is 10 but the data set of the bank has 9 samples'),
        (ToyImages(unlabeled=[3]), ToyImages(12, 1), 'without a label .* retrieval has no classes'),
        (ToyImages(), ToyImages(12, 1, classes='abcdef'), 'class'),
    ],
)
def test_data_that_is_refused(bank: ToyImages, queries: ToyImages, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        retrieval_evaluate(toy_model(), toy_loader(bank), toy_loader(queries))
