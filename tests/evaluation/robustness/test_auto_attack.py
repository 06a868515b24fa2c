"""AutoAttack through its package: how it is called, and the real one where it is installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.robustness.auto_attack import auto_attack
from tests.evaluation.robustness.toy import queries, toy_classifier


class Brighter:
    """Stands for the package's class: every image is made brighter by the radius."""

    def __init__(self, model: Any, **settings: Any) -> None:
        self.model, self.settings = model, settings
        assert settings.pop('version') == 'standard' and settings.pop('attacks') is None
        assert settings == dict(norm='Linf', eps=0.1, seed=2, device='cpu')
        assert set(settings) <= {'norm', 'eps', 'seed', 'device'}

    def run_standard_evaluation(
        self, images: Tensor, labels: Tensor, *, batch_size: int
    ) -> tuple[Tensor, Tensor]:
        assert batch_size == len(images) == len(labels) and not self.model.model.training
        torch.manual_seed(0)  # as the package does
        return (images + 0.1).clamp(0, 1), labels


def test_it_is_called_as_its_package_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyautoattack', SimpleNamespace(AutoAttack=Brighter))
    classifier = toy_classifier()
    before = torch.get_rng_state()
    found = auto_attack(classifier, queries(), 0.1, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    classifier.eval()
    right = sum(
        int((classifier((b['inputs'][0] / 255 + 0.1).clamp(0, 1)).argmax(1) == labels).sum())
        for b in queries()
        for labels in [b['data_samples']['gt_label']]
    )
    assert found == pytest.approx(100 * right / 18)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyautoattack', None)
    with pytest.raises(ImportError, match=r'pyautoattack, .* pip install -e \.\[attacks\]'):
        auto_attack(toy_classifier(), queries(), 0.1)
    with pytest.raises(ValueError, match='epsilon is 8'):
        auto_attack(toy_classifier(), queries(), 8)


def test_the_package_itself_finds_at_least_what_clean_images_leave() -> None:
    pytest.importorskip('pyautoattack', reason='the extra "attacks" is not installed')
    classifier = toy_classifier()
    small, large = (
        auto_attack(classifier, queries(12), r, version='custom', attacks=['apgd-ce'])
        for r in (0.001, 0.5)
    )
    assert large == 0 < small
