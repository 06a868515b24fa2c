"""Average drop and rate of increase: by hand, image by image; refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.evaluation.explanations import measure_explanations
from mochi_mm.evaluation.robustness import PixelClassifier
from mochi_mm.models.algorithms import ImageClassifier
from mochi_mm.models.heads import LinearHead
from tests.evaluation.robustness.toy import queries


class Net(nn.Module):
    """A convolution before a batch norm."""

    out_channels = 6

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6)

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(images)))


@pytest.fixture(scope='module')
def classifier() -> PixelClassifier:
    torch.manual_seed(0)
    head = LinearHead(6, 6)
    nn.init.normal_(head.fc.weight)
    return PixelClassifier(ImageClassifier(Net(), head)).train()


def test_the_figures_image_by_image(classifier: PixelClassifier) -> None:
    found = measure_explanations(classifier, queries(), 'conv', share=0.3)
    assert classifier.model.training  # restored
    classifier.eval()
    model: Any = classifier.model
    drops, rises, again, right = [], [], [], []
    for batch in queries(18, 1):
        pixels = batch['inputs'][0] / 255
        normal = model.data_preprocessor.normalize(255 * pixels)
        a = model.backbone.conv(normal).detach().requires_grad_()
        logits = model.head.fc(torch.relu(model.backbone.norm(a)).mean((2, 3)))
        kind = int(logits.argmax())
        logits[0, kind].backward()
        assert a.grad is not None
        heat = (a.grad.mean((2, 3), keepdim=True) * a.detach()).sum(1, keepdim=True)
        heat = nn.functional.interpolate(heat, pixels.shape[2:], mode='bilinear').flatten()
        count = -(-3 * len(heat) // 10)
        kept = torch.zeros(len(heat))
        kept[heat.argsort(descending=True)[:count]] = 1
        left = normal * kept.view(1, 1, *pixels.shape[2:])
        scores = model.head.fc(
            torch.relu(model.backbone.norm(model.backbone.conv(left))).mean((2, 3))
        )
        y, o = (s.detach().softmax(1)[0, kind].item() for s in (logits, scores))
        drops.append(max(0.0, y - o) / y)
        rises.append(o > y)
        again.append(int(scores.argmax()) == kind)
        right.append(kind == int(batch['data_samples']['gt_label']))
    for name, values in (
        ('average_drop', drops),
        ('rate_of_increase', rises),
        ('explained', again),
        ('clean', right),
    ):
        assert found[name] == pytest.approx(100 * sum(values) / 18, abs=1e-3), name
    assert 0 < found['average_drop'] < 100 and 0 < found['calibration_error'] < 100


def test_everything_kept_drops_nothing(classifier: PixelClassifier) -> None:
    found = measure_explanations(classifier, queries(), 'conv', share=1.0)
    assert found['average_drop'] == 0 == found['rate_of_increase'] and found['explained'] == 100


def test_refusals(classifier: PixelClassifier) -> None:
    with pytest.raises(ValueError, match="layer is 'conv9', which Net does not have"):
        measure_explanations(classifier, queries(), 'conv9')
    with pytest.raises(ValueError, match='share is 1.5'):
        measure_explanations(classifier, queries(), 'conv', share=1.5)
    with pytest.raises(ValueError, match='the loader gave no batch'):
        measure_explanations(classifier, [], 'conv')


def test_a_constant_map_explains_nothing(classifier: PixelClassifier) -> None:
    class Whole(Net):
        def forward(self, images: Tensor) -> Tensor:
            return torch.relu(self.norm(self.conv(images).mean((2, 3), keepdim=True)))

    torch.manual_seed(0)
    coarse = PixelClassifier(ImageClassifier(Whole(), LinearHead(6, 6)))
    with pytest.raises(ValueError, match='map of norm is constant in each of 18 images'):
        measure_explanations(coarse, queries(), 'norm')
    assert measure_explanations(classifier, queries(), 'conv')['varying'] == 100
