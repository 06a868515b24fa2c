"""kNN accuracy: counting, and from images to percent."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.knn_evaluate import count_hits, knn_accuracy, knn_evaluate
from tests.evaluation.toy import CLASSES, ToyImages, toy_loader, toy_model


def test_hits_are_counted_and_a_class_without_votes_is_none() -> None:
    scores = torch.tensor(
        [
            [0.5, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0],  # first
            [0.5, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0],  # third
            [
                0.5,
                0.3,
                0.2,
                0.0,
                0.0,
                0.0,
                0.0,
            ],  # no vote: a sort would put it among the first five
            [0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05],  # sixth
        ]
    )
    assert count_hits(scores, torch.tensor([0, 2, 3, 5])).tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 0, 0],
    ]


def test_accuracy_equals_a_loop() -> None:
    dataset, queries = ToyImages(30, noise=1000), ToyImages(17, seed=1, noise=1000)
    model = toy_model()
    metrics = knn_evaluate(model, toy_loader(dataset), toy_loader(queries), (1, 4), 0.1)
    bank, labels = extract_features(model, toy_loader(dataset))
    features, truth = extract_features(model, toy_loader(queries))
    for k in (1, 4):
        right = 0
        for feature, label in zip(features.double(), truth.tolist(), strict=True):
            cosine = F.cosine_similarity(feature[None], bank.double())
            votes = dict.fromkeys(range(CLASSES), 0.0)
            for row in cosine.argsort(descending=True)[:k].tolist():
                votes[int(labels[row])] += float((cosine[row] / 0.1).exp())
            right += max(votes, key=lambda c: votes[c]) == label
        assert 0 < right < 17  # else the comparison shows nothing
        assert metrics[f'knn/top1_k{k}'] == pytest.approx(100 * right / 17)


def test_percent_and_the_names_of_the_metrics() -> None:
    eye = torch.eye(6)
    labels = torch.arange(6)
    wrong = torch.tensor([0, 1, 2, 4, 3, 5])
    assert knn_accuracy(eye, wrong, eye, labels, (1,), 0.07, chunk=4) == {
        'knn/top1_k1': pytest.approx(400 / 6),
        'knn/top5_k1': pytest.approx(400 / 6),
    }
    few = knn_accuracy(eye[:5], labels[:5], eye[:5], labels[:5], (1,), 0.07)
    assert few == {'knn/top1_k1': 100.0}  # five classes: top-5 says nothing


def test_errors_before_anything_is_computed() -> None:
    model, bank, queries = toy_model(), ToyImages(8), ToyImages(4)
    with pytest.raises(ValueError, match='k is 9 but the data set of the bank has 8 samples'):
        knn_evaluate(model, toy_loader(bank), toy_loader(queries), (1, 9))
    with pytest.raises(ValueError, match='the query data set has samples without a label'):
        knn_evaluate(model, toy_loader(bank), toy_loader(ToyImages(4, unlabeled=[1])), 1)
    with pytest.raises(ValueError, match=r'the bank .*without a label.*bank_dataloader of a guard'):
        knn_evaluate(model, toy_loader(ToyImages(8, unlabeled=[7])), toy_loader(queries), 1)
    with pytest.raises(ValueError, match='temperature is -1'):
        knn_evaluate(model, toy_loader(bank), toy_loader(queries), 1, temperature=-1)


def test_groups_of_classes_by_their_rows_in_the_bank() -> None:
    """Classes of 5, 3 and 1 rows; of their queries 1 of 2, 2 of 2 and 0 of 1 are right."""
    bank_labels = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 2])
    bank = torch.eye(3)[bank_labels]
    labels = torch.tensor([0, 0, 1, 1, 2])
    queries = torch.eye(3)[[0, 1, 1, 1, 0]]
    metrics = knn_accuracy(queries, labels, bank, bank_labels, (1,), 0.07, chunk=2, cuts=(4, 2))
    assert metrics == {
        'knn/top1_k1': 60.0,
        'knn/many_over4_k1': 50.0,
        'knn/medium_2to4_k1': 100.0,
        'knn/few_below2_k1': 0.0,
    }
