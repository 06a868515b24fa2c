"""Views masked by Grad-CAM: what is kept, what is replaced, what is left alone, refusals."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor

from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.heads import AuxiliaryClassifierHead, ExConHead, SupConHead
from mochi_mm.models.necks import MLPNeck
from mochi_mm.models.view_editors import AdversarialViews, ExplainedViews
from mochi_mm.randomness import StepKey
from tests.meta import on_one_device
from tests.models.attacks.test_contrastive_objective import Small
from tests.toy_runner import VIEW, runner_config, train

LABELS = dict(gt_label=torch.tensor([0, 1, 2, 0, 1, 2]))


@pytest.fixture(scope='module', autouse=True)
def scope() -> None:
    init_default_scope('mochi_mm')


def model_of(background: bool = True, head: Any = None, **editor: Any) -> Any:
    torch.manual_seed(3)
    model = InBatchContrast(
        Small(),
        head or ExConHead('negatives' if background else 'none'),
        MLPNeck(6, hidden_channels=6, out_channels=4),
        num_views=3,
        heads=dict(classifier=AuxiliaryClassifierHead(3, 6, (1,))),
        view_editors=[ExplainedViews('conv', background, **editor)],
    )
    classifier: Any = model.heads['classifier']
    torch.nn.init.normal_(classifier.fc.weight)  # so that some are right and some are wrong
    return model.train()


def images(count: int = 3, size: int = 9) -> list[Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(6, 3, size, size, generator=generator) for _ in range(count)]


def test_what_is_kept_by_definition() -> None:
    """Each image by itself, slowly, from the network in evaluation mode."""
    model, views = model_of(), images()
    state = copy.deepcopy(model.state_dict())
    (first, second, masked), samples = model.edit_views(views, LABELS)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in state.items())
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(second, views[1]) and not masked.requires_grad

    fc, net = model.heads['classifier'].fc, model.backbone.eval()
    for b, label in enumerate(LABELS['gt_label'].tolist()):
        plain = views[2][b : b + 1]
        a = net.conv(plain).detach().requires_grad_()
        fc(torch.relu(net.norm(a)).mean((2, 3)))[0, label].backward()
        heat = (a.grad.mean((2, 3), keepdim=True) * a.detach()).sum(1, keepdim=True)
        heat = torch.nn.functional.interpolate(heat, (9, 9), mode='bilinear')
        heat = (heat - heat.min()) / (heat.max() - heat.min())
        expected = plain * (heat > 0.5)
        assert torch.allclose(masked[b : b + 1], expected, atol=1e-6)
        right = int(fc(torch.relu(net.norm(net.conv(expected))).mean((2, 3))).argmax()) == label
        assert bool(samples['masked'][b]) == right == (not samples['background'][b])
        assert torch.equal(first[b], masked[b] if right else views[0][b])
    assert 0 < int(samples['masked'].sum()) < 6  # both kinds were seen


def test_a_heat_that_is_the_same_everywhere_replaces_nothing() -> None:
    model, views = model_of(), images()
    views[2] = torch.ones_like(views[2])
    (first, _, masked), samples = model.edit_views(views, LABELS)
    assert torch.equal(first, views[0]) and not samples['masked'].any()
    assert float(masked.abs().max()) == 0.0
    assert not samples['background'].all()  # some class is what a gray image is taken for


def test_where_it_rests_the_plain_view_is_taken_away() -> None:
    for model in (model_of(start_epoch=1), model_of(probability=1e-9)):
        editor = model.view_editors[0]
        editor.set_step(StepKey(0, 0))
        views = images()
        found, samples = model.edit_views(list(views), LABELS)
        assert len(found) == 2 and torch.equal(found[0], views[0]) and samples is LABELS
        assert {'loss_contrast', 'loss_auxiliary'} < set(model.loss(found, samples))


def test_the_whole_step_trains_everything() -> None:
    for model in (model_of(), model_of(False, SupConHead())):
        losses = model(images(), LABELS, mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        assert losses['acc_auxiliary'] >= 0


def test_a_cast_weight_keeps_its_gradient_under_autocast() -> None:
    model = model_of()
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(images(), LABELS, mode='loss')
    losses['loss_contrast'].backward()
    assert float(model.backbone.conv.weight.grad.abs().sum()) > 0


def test_a_step_waits_for_no_one() -> None:
    model = model_of().to('meta')
    views = [view.to('meta') for view in images()]
    labels = {name: value.to('meta') for name, value in LABELS.items()}
    with on_one_device():
        losses = model(views, labels, mode='loss')
        (losses['loss_contrast'] + losses['loss_auxiliary']).backward()
    assert all(value.is_meta for value in losses.values())
    assert all(p.grad is not None and p.grad.is_meta for p in model.parameters())


def test_a_resumed_run_is_the_same(tmp_path: Path) -> None:
    plain = [dict(type='Resize', size=(16, 16))]
    pipeline = [
        dict(type='MultiView', transforms=[VIEW, plain], num_views=[2, 1]),
        dict(type='PackInputs'),
    ]

    def config(name: str, **changes: Any) -> Any:
        model = dict(
            _delete_=True,
            type='InBatchContrast',
            num_views=3,
            backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'),
            neck=dict(type='MLPNeck', in_channels=64, hidden_channels=16, out_channels=8),
            head=dict(type='ExConHead'),
            heads=dict(
                classifier=dict(
                    type='AuxiliaryClassifierHead', num_classes=3, in_channels=64, views=(1,)
                )
            ),
            view_editors=[
                dict(type='ExplainedViews', layer='layer2.0.conv2', background=True, start_epoch=1)
            ],
        )
        changes = dict({'train_dataloader.dataset.pipeline': pipeline}, **changes)
        return runner_config(tmp_path / name, 2, 8, model=model, **changes)

    whole = train(config('whole')).model.state_dict()
    resumed = train(config('resumed', resume=True, load_from=str(tmp_path / 'whole/epoch_1.pth')))
    assert all(
        torch.equal(whole[name], value) for name, value in resumed.model.state_dict().items()
    )


def editor_of() -> ExplainedViews:
    return ExplainedViews('conv', background=False)


def build(**changes: Any) -> Callable[[], Any]:
    settings: dict[str, Any] = dict(
        backbone=Small(),
        head=ExConHead(),
        num_views=3,
        heads=dict(classifier=AuxiliaryClassifierHead(3, 6, (1,))),
        view_editors=[ExplainedViews('conv', background=True)],
    )
    return lambda: InBatchContrast(**{**settings, **changes})


def test_models_that_do_not_fit() -> None:
    editor = ExplainedViews('layer2.0', background=True)
    with pytest.raises(ValueError, match=r"layer is 'layer2.0', which Small does not have; Small"):
        build(view_editors=[editor])()
    with pytest.raises(ValueError, match='asks a classifier what it sees, and no head of InBatch'):
        build(heads=None)()
    with pytest.raises(ValueError, match='ExConHead needs one view editor that makes background'):
        build(view_editors=[ExplainedViews('conv')])()
    with pytest.raises(ValueError, match='ExplainedViews makes views that SupConHead would take'):
        build(head=SupConHead())()
    with pytest.raises(ValueError, match='AdversarialViews stands before it; expected one Exp'):
        build(head=ExConHead('none'), view_editors=[AdversarialViews(), editor_of()])()
    with pytest.raises(ValueError, match='ExplainedViews stands before it'):
        build(head=ExConHead('none'), view_editors=[editor_of(), editor_of()], num_views=4)()
    for views, message in (
        ((0, 1), r'classifier that ExplainedViews asks learns from the views \[0, 1\], of which'),
        ((1, 2), r'learns from the views \[1, 2\], of which \[2\] are made by a view editor'),
        ((1, 5), r'learns from the views \[1, 5\], of which \[5\] are not there: 3 reach the h'),
    ):
        with pytest.raises(ValueError, match=message):
            build(heads=dict(classifier=AuxiliaryClassifierHead(3, 6, views)))()
    with pytest.raises(ValueError, match='num_views is 4, of which the view editors leave 3, but'):
        build(num_views=4)()
    model = build()()
    model.takes_more_views = False
    with pytest.raises(ValueError, match='takes a view away, and InBatchContrast has a use for'):
        model.view_editors[0].check_model(model)


def test_bad_settings_and_batches() -> None:
    for threshold in (1, 1.5, -0.1):
        with pytest.raises(ValueError, match='threshold is'):
            ExplainedViews('conv', threshold=threshold)
    model = build()()
    for views in (images(2), [*images(2), *images(1, 7)]):
        with pytest.raises(ValueError, match='expected at least two and behind them the image'):
            model.edit_views(views, LABELS)
    with pytest.raises(ValueError, match=r'map of an image of \(3, 3\) pixels is one cell'):
        model.edit_views(images(size=3), LABELS)
    with pytest.raises(ValueError, match='ExplainedViews needs gt_label'):
        model.check_samples({})
