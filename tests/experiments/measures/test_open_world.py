"""Known and new classes by prototypes and by k-means."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sklearn.cluster import KMeans

from mochi_mm.evaluation.matched_accuracy import matched_accuracy, open_world_accuracy
from mochi_mm.experiments.measures import OpenWorldMeasure
from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.heads import OpenConHead
from tests.evaluation.toy import loader_config
from tests.experiments.measures.toy import toy_subject


def test_prototypes_and_clusters(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, unlabeled_dataloader=loader_config(size=33, noise=200))
    former = subject.model
    subject.model = InBatchContrast(
        former.backbone,
        OpenConHead(6, 3, former.backbone.out_channels, tap='backbone'),
        data_preprocessor=former.data_preprocessor,
    )
    found = OpenWorldMeasure(6, 3)(subject)
    for name, loader in (('unlabeled', 'unlabeled_dataloader'), ('test', 'query_dataloader')):
        features, labels = subject.features(loader)
        guesses = subject.model.head.predict(features).argmax(1).numpy()
        for key, value in open_world_accuracy(guesses, labels.numpy(), 3).items():
            assert found[f'{name}/{key}'] == pytest.approx(value), (name, key)
        units = torch.nn.functional.normalize(features).numpy()
        clusters = KMeans(6, n_init=3, random_state=0).fit_predict(units)
        assert found[f'{name}/kmeans'] == matched_accuracy(clusters, labels.numpy())


def test_without_a_classifier_there_are_clusters_alone(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, unlabeled_dataloader=loader_config(size=33, noise=200))
    subject.model.head = None
    assert set(OpenWorldMeasure(6, 3)(subject)) == {'unlabeled/kmeans', 'test/kmeans'}
