"""Nearest neighbors by a similarity that a head has learned."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.engine.hooks.knn_hook import KNNHook
from mochi_mm.evaluation.features import evaluating, extract_features
from mochi_mm.evaluation.knn import nearest_in_bank
from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.evaluation.learned_similarity import LearnedFeatures
from mochi_mm.experiments.measures import KNN
from mochi_mm.registry import MODELS
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.experiments.measures.toy import toy_subject


def model(**heads: Any) -> Any:
    """A network that was not trained, in training mode."""
    toy_model()  # registers the parts, and seeds
    config = dict(
        type='InBatchContrast',
        backbone=dict(type='ToyBackbone'),
        neck=dict(type='MLPNeck', in_channels=16, out_channels=6),
        head=dict(type='BregmanHead', in_channels=6, num_subnets=7, hidden_channels=5, sigma=0.1),
    )
    return MODELS.build({**config, **heads}).train()


def loaders() -> Any:
    return toy_loader(ToyImages(30)), toy_loader(ToyImages(12, seed=1))


def test_the_neighbors_are_those_of_the_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, bank = (torch.randn(n, 4, generator=generator) for n in (5, 9))
    labels = torch.arange(9)
    head = model().head

    def loop(query: int, row: int) -> float:
        g = queries[query].double()
        return math.exp(-float(g.max() - g[int(bank[row].argmax())]) / (2 * head.sigma**2))

    found, near = nearest_in_bank(
        queries, bank, labels, 4, query_chunk=2, bank_chunk=3, similarity=head.similarity
    )
    for q in range(5):
        values = sorted((loop(q, row) for row in range(9)), reverse=True)
        assert found[q].tolist() == pytest.approx(values[:4], abs=1e-6)
        for value, row in zip(found[q].tolist(), near[q].tolist(), strict=True):
            assert value == pytest.approx(loop(q, row), abs=1e-6)
        assert len(set(near[q].tolist())) == 4


def test_accuracy_is_that_of_the_outputs_of_the_head() -> None:
    network = model()
    found = knn_evaluate(network, *loaders(), k=(1, 3), similarity='learned')
    assert list(found) == [
        'knn_learned/top1_k1', 'knn_learned/top5_k1', 'knn_learned/top1_k3', 'knn_learned/top5_k3'
    ]  # fmt: skip
    parts = []
    with evaluating(network), torch.no_grad():
        for loader in loaders():
            pooled, labels = extract_features(network, loader)
            parts += [network.head.outputs(network.neck(pooled)), labels]
    bank, bank_labels, queries, labels = parts
    _, near = nearest_in_bank(queries, bank, bank_labels, 1, similarity=network.head.similarity)
    hits = (near[:, 0] == labels).float().mean()
    assert found['knn_learned/top1_k1'] == pytest.approx(100 * float(hits))
    assert network.training and network.head.training  # flags are as before
    assert 'knn/top1_k1' in knn_evaluate(network, *loaders(), k=1)


def test_a_further_head_may_be_the_one() -> None:
    head = dict(type='BregmanHead', in_channels=6, num_subnets=3, contrast_weight=0)
    network = model(head=dict(type='NTXentHead'), heads=dict(divergence=head))
    assert LearnedFeatures.of(network).head is network.heads['divergence']


@pytest.mark.parametrize(
    ('network', 'message'),
    [
        (lambda: model(head=dict(type='NTXentHead')), r'0 heads that learn one .*NTXentHead'),
        (lambda: model(heads=dict(other=model().head)), '2 heads that learn one'),
        (toy_model, 'its heads: none'),
    ],
)
def test_a_model_that_has_learned_none_is_refused(network: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        knn_evaluate(network(), *loaders(), k=1, similarity='learned')


def test_an_unknown_similarity_is_refused() -> None:
    message = "similarity is 'bregman'; expected one of cosine, learned"
    with pytest.raises(ValueError, match=message):
        knn_evaluate(model(), *loaders(), k=1, similarity='bregman')
    with pytest.raises(ValueError, match=message):
        KNNHook({}, {}, similarity='bregman')


def test_the_measure_of_a_sweep_is_the_evaluation(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    subject.model = model()
    expected = knn_evaluate(
        subject.model,
        subject.loader('bank_dataloader'),
        subject.loader('query_dataloader'),
        k=3,
        similarity='learned',
    )
    found = KNN(k=3, similarity='learned', optional=True)(subject)
    assert found == {'knn_learned/top1_k3': expected['knn_learned/top1_k3']}


def test_ties_do_not_vote_for_the_class_that_stands_first() -> None:
    """One sub-network wins everywhere, so all images are equally near."""
    network = model()
    with torch.no_grad():
        network.head.subnets.last.zero_()
    images = ToyImages(60)
    order = images.labels.argsort(stable=True)
    images.images, images.labels = images.images[order], images.labels[order]
    pooled, labels = extract_features(network, toy_loader(images))
    bank = network.eval().head.outputs(network.neck(pooled)).detach()
    _, near = nearest_in_bank(bank, bank, labels, 10, similarity=network.head.similarity)
    assert len(near.unique()) <= 2  # ten neighbors from one end of the bank
    found = knn_evaluate(network, toy_loader(images), loaders()[1], k=10, similarity='learned')
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    voters = labels[shuffled][:10]
    assert len(voters.unique()) > 3
    assert 0 <= found['knn_learned/top1_k10'] <= 100
    assert found['knn_learned/top5_k10'] > 100 / 6  # more than one class has votes
