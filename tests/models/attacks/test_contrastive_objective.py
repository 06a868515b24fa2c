"""The contrastive loss as a function of pixels: its value, what it leaves alone, refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.models.algorithms import ImageClassifier, InBatchContrast, MoCo
from mochi_mm.models.attacks import PGD, contrastive_objective
from mochi_mm.models.attacks.contrastive_objective import preprocessor_of
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.heads import ContrastiveHead, DenseContrastiveHead, NTXentHead
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.necks import DenseCLNeck

PREPROCESSOR = dict(type='ViewDataPreprocessor', mean=(100, 120, 90), std=(50, 60, 70))


class Small(nn.Module):
    """A convolution with batch norm."""

    out_channels = 6

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6)

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(images)))


@pytest.fixture(scope='module', autouse=True)
def scope() -> None:
    init_default_scope('mochi_mm')


def in_batch(views: int = 2) -> Any:
    torch.manual_seed(0)
    return InBatchContrast(
        Small(), NTXentHead(0.5), num_views=views, data_preprocessor=PREPROCESSOR
    )


def moco() -> Any:
    torch.manual_seed(0)
    head = ContrastiveHead(FeatureQueue(length=8, dim=6), 0.5)
    return MoCo(Small(), nn.Identity(), head, batch_shuffle='none', data_preprocessor=PREPROCESSOR)


def views_of(model: Any, count: int, size: int = 8) -> tuple[list[Tensor], list[Tensor]]:
    """Pixels in [0, 1], and the same normalized."""
    generator = torch.Generator().manual_seed(1)
    pixels = [torch.rand(4, 3, size, size, generator=generator) for _ in range(count)]
    return pixels, [preprocessor_of(model).normalize(255 * view) for view in pixels]


def dense() -> Any:
    """A head on cells as the main objective."""
    torch.manual_seed(0)
    head = DenseContrastiveHead(FeatureQueue(length=8, dim=6), 0.5)
    neck = DenseCLNeck(6, out_channels=6)
    return MoCo(Small(), neck, head, batch_shuffle='none', data_preprocessor=PREPROCESSOR)


@pytest.mark.parametrize('make', [in_batch, moco, dense])
def test_it_is_the_loss_of_the_head_in_evaluation_mode(make: Any) -> None:
    model = make()
    pixels, views = views_of(model, 2)
    state = copy.deepcopy(model.state_dict())
    with evaluating(model):
        found = contrastive_objective(model, views, [0], {})(pixels[0])
        expected = sum(v for k, v in copy.deepcopy(model).loss(views, {}).items() if 'loss' in k)
        attack = PGD(0.1, steps=3)
        objective = contrastive_objective(model, views, [0], {})
        worse = attack(objective, pixels[0], torch.Generator().manual_seed(0))
        assert float(objective(worse).detach()) > float(expected.detach())
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    assert all(module.training for module in model.modules())
    for name, value in model.state_dict().items():  # neither norms nor memory have moved
        assert torch.equal(value, state[name]), name
    assert all(parameter.grad is None for parameter in model.parameters())


def test_several_views_change_together() -> None:
    model = in_batch(3)
    pixels, views = views_of(model, 3)
    model.eval()
    objective = contrastive_objective(model, views, [0, 2], {})
    found = objective(torch.cat([pixels[1], pixels[0]]))
    rows = [model.embed(views[view]).neck for view in (1, 1, 0)]
    expected = NTXentHead(0.5).loss(torch.stack(rows, 1))['loss_contrast']
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)


def test_what_is_refused() -> None:
    model = in_batch()
    _, views = views_of(model, 2)
    for attacked in ([], [2], [0, 0]):
        with pytest.raises(ValueError, match=r'are to be attacked; expected different ones of'):
            contrastive_objective(model, views, attacked, {})
    small = [views[0], F.avg_pool2d(views[1], 2)]
    with pytest.raises(ValueError, match=r'have the sizes .* attack the large crops alone'):
        contrastive_objective(model, small, [0, 1], {})
    headless = ImageClassifier(Small(), data_preprocessor=PREPROCESSOR)
    with pytest.raises(ValueError, match='the head of ImageClassifier is None, which has no'):
        contrastive_objective(headless, views, [0], {})
