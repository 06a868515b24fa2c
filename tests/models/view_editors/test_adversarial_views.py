"""Adversarial views: what is attacked, in which ball, what is left alone, what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope

from mochi_mm.models.heads import NPairHead, NTXentHead
from mochi_mm.models.view_editors import AdversarialViews
from mochi_mm.randomness import StepKey
from tests.models.attacks.test_contrastive_objective import in_batch, moco, views_of

EPSILON = 8 / 255


@pytest.fixture(scope='module', autouse=True)
def scope() -> None:
    init_default_scope('mochi_mm')


def edited(model: Any, editor: AdversarialViews, views: list[Any], seed: int = 0) -> list[Any]:
    editor.set_step(StepKey(seed, 3))
    return editor(views, {}, model)[0]


@pytest.mark.parametrize('attacked', [(0,), (0, 1)])
def test_the_loss_of_the_pair_rises_within_the_ball(attacked: tuple[int, ...]) -> None:
    model = in_batch()
    pixels, views = views_of(model, 2)
    state = copy.deepcopy(model.state_dict())
    found = edited(model, AdversarialViews(views=attacked), views)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(model.state_dict()[name], value) for name, value in state.items())
    assert len(found) == 2 + len(attacked) and not found[-1].requires_grad
    assert all(torch.equal(a, b) for a, b in zip(found, views, strict=False))

    model.eval()

    def loss(pair: list[Any]) -> float:
        rows = torch.stack([model.embed(view).neck for view in pair], 1)
        return float(NTXentHead(0.5).loss(rows)['loss_contrast'].detach())

    changed = dict(zip(attacked, found[2:], strict=True))
    assert loss([changed.get(v, views[v]) for v in range(2)]) > loss(views) + 1e-3
    for view, images in changed.items():
        after = model.data_preprocessor.gray_levels(images) / 255
        assert float((after - pixels[view]).abs().max()) <= EPSILON + 1e-5
        assert float(after.min()) > -1e-5 and float(after.max()) < 1 + 1e-5
        assert float((after - pixels[view]).abs().mean()) > EPSILON / 4


def test_draws_are_keyed_by_the_step() -> None:
    model = in_batch()
    _, views = views_of(model, 2)
    editor = AdversarialViews(dict(epsilon=EPSILON, steps=1))
    first, again, other = (edited(model, editor, views, seed)[2] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_views_are_replaced_in_any_algorithm() -> None:
    model = moco()
    _, views = views_of(model, 2)
    memory = model.head.memory.features.clone()
    found = edited(model, AdversarialViews(views=(0,), append=False), views)
    assert len(found) == 2 and torch.equal(found[1], views[1])
    assert not torch.equal(found[0], views[0])
    assert torch.equal(model.head.memory.features, memory)


def test_models_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r'MoCo does not see views beyond those of the pipeline'):
        AdversarialViews(views=(0,)).check_model(moco())
    with pytest.raises(ValueError, match=r'views \[1\] are to be attacked; .* of \[0\]'):
        AdversarialViews(views=(1,), append=False).check_model(moco())
    with pytest.raises(ValueError, match=r'views \[0, 7\] are to be attacked'):
        AdversarialViews(views=(0, 7)).check_model(in_batch())
    for head in (None, torch.nn.Identity()):
        model = in_batch()
        model.head = head
        with pytest.raises(ValueError, match='no contrastive loss on views'):
            AdversarialViews().check_model(model)
    model = in_batch()
    model.head = NPairHead()
    with pytest.raises(ValueError, match='makes 4 views of 2, but NPairHead, as it is set, comp'):
        AdversarialViews().check_model(model)
    model = in_batch()
    model.head = torch.nn.Identity()
    with pytest.raises(ValueError, match='no contrastive loss on views'):
        AdversarialViews().check_model(model)


def test_a_radius_in_gray_levels_is_refused() -> None:
    with pytest.raises(ValueError, match='epsilon is 8; expected a share of the range'):
        AdversarialViews(dict(epsilon=8))
