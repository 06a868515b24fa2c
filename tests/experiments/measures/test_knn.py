"""kNN as a measure is the evaluation's, and its hook has its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.experiments.measures import KNN
from tests.evaluation.toy import ToyImages, loader_config, toy_loader
from tests.experiments.measures.toy import toy_subject


def test_it_is_the_evaluation(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    loaders = [toy_loader(ToyImages(30, noise=200)), toy_loader(ToyImages(18, seed=2, noise=200))]
    expected = knn_evaluate(subject.model, *loaders, k=7, temperature=0.3)['knn/top1_k7']
    found = KNN('other_dataloader', 'of others', k=7, temperature=0.3)(subject)
    assert found == {'knn/top1_k7 of others': expected}
    assert set(KNN(k=3)(subject)) == {'knn/top1_k3'}


def test_data_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='k is 31 but the data set of the bank has 30'):
        KNN(k=31)(toy_subject(tmp_path))
    other = loader_config(size=12, classes=list('123456'))
    with pytest.raises(ValueError, match="only the bank data set has '0'"):
        KNN(k=3)(toy_subject(tmp_path, query_dataloader=other))


def test_the_hook(tmp_path: Path) -> None:
    config = toy_subject(tmp_path).config
    (hook,) = KNN('other_dataloader', k=7, temperature=0.3).hooks(config, 4)
    assert (hook['type'], hook['interval'], hook['k'], hook['temperature']) == (
        'KNNHook',
        4,
        7,
        0.3,
    )
    assert hook['query_dataloader'] == config.other_dataloader
    assert KNN(watch=False).hooks(config, 4) == []


def test_a_network_that_has_learned_no_similarity(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    assert KNN(k=3, similarity='learned', optional=True)(subject) == {}
    with pytest.raises(ValueError, match='0 heads that learn one'):
        KNN(k=3, similarity='learned')(subject)
    (hook,) = KNN(similarity='learned').hooks(subject.config, 4)
    assert hook['similarity'] == 'learned'
