"""Robustness: the counts by hand, what a large radius leaves, signs of masked gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mochi_mm.evaluation.robustness import (
    PixelClassifier,
    RobustnessSettings,
    measure_robustness,
)
from mochi_mm.evaluation.robustness.corruptions import corrupt
from mochi_mm.evaluation.robustness.measure_robustness import signs_of_masking
from mochi_mm.models.functional.perturbation import fgsm
from mochi_mm.randomness import StepKey
from tests.evaluation.robustness.toy import batch, queries, toy_classifier

RADII = (2 / 255, 8 / 255)


@pytest.fixture(scope='module')
def classifier() -> PixelClassifier:
    return toy_classifier()


@pytest.fixture(scope='module')
def found(classifier: PixelClassifier) -> dict[str, float]:
    settings = RobustnessSettings(RADII, steps=5)
    return measure_robustness(classifier.train(), queries(), settings)


def test_the_figures_are_counts(classifier: PixelClassifier, found: dict[str, float]) -> None:
    """In one batch or in three; draws of the attack are those of the batch."""
    counts: dict[str, int] = {}
    assert classifier.model.training  # restored
    classifier.eval()
    for number, part in enumerate(queries()):
        images, labels = part['inputs'][0], part['data_samples']['gt_label']

        def loss(x: torch.Tensor, labels: torch.Tensor = labels) -> torch.Tensor:
            return F.cross_entropy(classifier(x), labels)

        clean = classifier(images / 255).argmax(1) == labels
        start = StepKey(0, number).generator('attack pgd5_linf_8', 'cpu')
        attacked = RobustnessSettings(RADII, steps=5).attack(8 / 255)(loss, images / 255, start)
        noisy = corrupt(images, 'noise', 2, part['data_samples']['sample_idx']) / 255
        one = fgsm(loss, images / 255, 8 / 255)
        for name, right in (
            ('clean', clean),
            ('pgd5_linf_8', clean & (classifier(attacked).argmax(1) == labels)),
            ('fgsm_linf_8', clean & (classifier(one).argmax(1) == labels)),
            ('noise_2', classifier(noisy).argmax(1) == labels),
        ):
            counts[name] = counts.get(name, 0) + int(right.sum())
    for name, count in counts.items():
        assert found[name] == pytest.approx(100 * count / 18), name
    assert counts['clean'] > 9
    names = [f'{c}_{s}' for c in ('noise', 'blur', 'contrast', 'jpeg') for s in range(1, 6)]
    assert found['corrupted'] == pytest.approx(sum(found[name] for name in names) / 20)


def test_a_large_radius_leaves_nothing_and_there_is_no_sign_of_masking(
    found: dict[str, float],
) -> None:
    assert found['pgd5_linf_8'] <= found['pgd5_linf_2'] <= found['clean']
    assert found['pgd5_linf_128'] == 0 and found['no_gradient'] == 0
    assert signs_of_masking(found, RobustnessSettings(RADII, steps=5)) == []


def test_a_network_that_hides_its_gradient_is_found_out(classifier: PixelClassifier) -> None:
    """Rounding to 16 levels has no gradient: the attack finds nothing, at any radius."""

    class Rounding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.preprocessor = classifier, classifier.preprocessor

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.inner((16 * pixels).round() / 16)

    settings = RobustnessSettings(RADII, steps=2, corruptions=())
    hidden = measure_robustness(Rounding(), queries(), settings)  # type: ignore[arg-type]
    assert hidden['no_gradient'] == 100 and 'corrupted' not in hidden
    signs = ' '.join(signs_of_masking(hidden, settings))
    assert 'still right at a radius of linf_128' in signs and '100.00 % of the images' in signs
    figures = dict(hidden, pgd2_linf_8=50.0, fgsm_linf_8=40.0, random_linf_8=45.0)
    signs = ' '.join(signs_of_masking(figures, settings))
    assert 'one step leaves 40.00 %, 2 steps leave 50.00 %' in signs
    assert 'a random change leaves 45.00 %' in signs


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(epsilons=(8,)), 'epsilon is 8; expected a share of the range'),
        (dict(epsilons=(0.6,)), 'large is 0.501961 and epsilons are .0.6.'),
        (dict(epsilons=()), 'expected a radius above all others'),
        (dict(corruptions=('fog',)), "corruptions are .'fog'.; expected some of noise, blur"),
        (dict(norm='l3'), "norm is 'l3'"),
        (dict(steps=0), 'steps is 0'),
        (dict(seed=-1), 'seed is -1'),
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RobustnessSettings(**settings)


def test_batches_that_are_refused(classifier: PixelClassifier) -> None:
    settings = RobustnessSettings(RADII, steps=1)
    part = batch()
    part['data_samples']['gt_label'][2] = -1
    with pytest.raises(ValueError, match=r'without a label .* nothing to make wrong'):
        measure_robustness(classifier, [part], settings)
    for views in (2 * batch()['inputs'], [batch()['inputs'][0].float()]):
        with pytest.raises(ValueError, match=r'the views of a batch are .* expected one'):
            measure_robustness(classifier, [dict(batch(), inputs=views)], settings)
    with pytest.raises(ValueError, match='the loader gave no batch'):
        measure_robustness(classifier, [], settings)


def test_what_cannot_be_classified_is_refused(classifier: PixelClassifier) -> None:
    settings = RobustnessSettings(RADII, steps=1, corruptions=())
    part = batch()
    for change, words in (
        (dict(data_samples=dict(part['data_samples'], gt_label=torch.full((6,), 9))), 'label 9'),
        (dict(inputs=[part['inputs'][0][:, :1]]), '1 channels and the network 3'),
    ):
        with pytest.raises(ValueError, match=words):
            measure_robustness(classifier, [dict(part, **change)], settings)
    broken = PixelClassifier(toy_classifier().model)
    broken.probe = toy_classifier().probe
    weight = next(broken.model.parameters())
    with torch.no_grad():
        weight.fill_(float('nan'))
    with pytest.raises(ValueError, match='logits that are not finite'):
        measure_robustness(broken, [part], settings)
