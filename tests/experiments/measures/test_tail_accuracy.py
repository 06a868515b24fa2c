"""Accuracy by group: of the network's own classifier, or of a linear one after it."""

from __future__ import annotations

from pathlib import Path

import torch

from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.measures import TailAccuracy
from mochi_mm.models.heads import LinearHead
from tests.evaluation.toy import loader_config
from tests.experiments.measures.toy import toy_subject

# Of 33 images 6, 6, 6, 5, 5, 5 in classes 0 to 5.
NAMES = ('many_over5', 'medium_5to5', 'few_below5')


def expected(guesses: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """By a loop over the queries."""
    groups: dict[str, list[bool]] = {}
    for guess, label in zip(guesses.tolist(), labels.tolist(), strict=True):
        for name in ('top1', NAMES[0] if label < 3 else NAMES[1]):
            groups.setdefault(f'tail/{name}', []).append(guess == label)
    return {name: 100 * sum(found) / len(found) for name, found in groups.items()}


def test_of_its_own_classifier(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, bank_dataloader=loader_config(size=33, noise=200))
    head = LinearHead(num_classes=6, in_channels=16)
    torch.nn.init.normal_(head.fc.weight)
    subject.model.head = head
    features, labels = subject.features('query_dataloader')
    with torch.no_grad():
        guesses = head.predict(features).argmax(1)
    found = TailAccuracy((5, 5))(subject)
    assert found == expected(guesses, labels) and len(found) == 3


def test_of_a_linear_one_where_it_has_none(tmp_path: Path) -> None:
    subject = toy_subject(tmp_path, bank_dataloader=loader_config(size=33, noise=200))
    subject.model.head = None
    x, y = subject.features('bank_dataloader')
    l2, _ = choose_l2(x, y, L2_GRID)
    features, labels = subject.features('other_dataloader')
    guesses = fit_linear(x, y, l2, 6).scores(features).argmax(1)
    found = TailAccuracy((5, 5), queries='other_dataloader')(subject)
    assert found == expected(guesses, labels)
