"""The accuracy of a network's own classifier, or of a linear probe where it has none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.experiments.measures import Classified, FastLinear
from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.heads import ESupConHead
from tests.experiments.measures.toy import toy_subject


def test_without_a_classifier_it_is_the_linear_probe(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    expected = FastLinear()(subject)['fast_linear/top1']
    assert Classified()(subject) == {'classified/top1': expected}


def test_with_one_it_is_its_accuracy(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path)
    former = subject.model
    width = former.backbone.out_channels
    subject.model = InBatchContrast(
        former.backbone,
        ESupConHead(6, width, tap='backbone'),
        data_preprocessor=former.data_preprocessor,
    ).train()
    found = Classified('other_dataloader')(subject)['classified/top1']
    features, labels = subject.features('other_dataloader')
    predicted = subject.model.head.predict(features).argmax(1)
    assert found == pytest.approx(100 * float((predicted == labels).double().mean()))
    assert subject.model.training and 0 < found < 100

    with torch.no_grad():
        weight = next(subject.model.backbone.parameters())
        kept = weight.clone()
        weight.fill_(float('nan'))
    with pytest.raises(ValueError, match='5 of 5 samples have logits that are not finite'):
        Classified('other_dataloader')(subject)
    with torch.no_grad():
        weight.copy_(kept)

    metric = TopKAccuracy(topk=(1,))
    subject.model.eval()
    with torch.no_grad():
        for batch in subject.loader('other_dataloader'):
            data = subject.model.data_preprocessor(batch, False)
            metric.process(None, subject.model(**data, mode='predict'))
    assert found == pytest.approx(metric.evaluate(len(labels))['accuracy/top1'])
