"""Several heads: their names and order, and one dict of what they report."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import OptimWrapper

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.algorithms.in_batch_contrast import InBatchContrast
from mochi_mm.models.algorithms.named_heads import classifier_of, join_losses, named_heads
from mochi_mm.models.heads import ESupConHead, SupConHead
from tests.models.algorithms.toy import Recorder, views

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')


def test_the_first_head_comes_first_and_the_others_in_their_order() -> None:
    heads = [Recorder() for _ in range(3)]
    model = BaseAlgorithm(BACKBONE, head=heads[0], heads=dict(z=heads[1], a=heads[2]))
    assert list(named_heads(model).items()) == [
        ('head', heads[0]),
        ('z', heads[1]),
        ('a', heads[2]),
    ]
    assert list(named_heads(BaseAlgorithm(BACKBONE, heads=dict(b=heads[0])))) == ['b']
    assert named_heads(BaseAlgorithm(BACKBONE)) == {}


def test_what_heads_report_is_joined_and_never_overwritten() -> None:
    one, two, three = torch.arange(3.0).unbind()
    joined = join_losses(dict(a=dict(loss_x=one, acc=two), b=dict(loss_y=three)))
    assert joined == dict(loss_x=one, acc=two, loss_y=three)
    twice = dict(loss_x=three, other=two)
    # The main head keeps its names; a further one that shares none with another does as well.
    joined = join_losses(dict(head=dict(loss_x=one), sup=twice, fair=dict(loss_y=two)))
    assert joined == {'loss_x': one, 'sup.loss_x': three, 'sup.other': two, 'loss_y': two}
    joined = join_losses(dict(a=dict(acc=one, loss_y=two), b=dict(acc=two)))
    assert joined == {'a.acc': one, 'a.loss_y': two, 'b.acc': two}


@pytest.mark.parametrize('name', ['head', 'loss_sup', 'a.b', '', 'keys'])
def test_names_that_a_further_head_cannot_have(name: str) -> None:
    with pytest.raises(ValueError, match=f'heads has a head {name!r}'):
        BaseAlgorithm(BACKBONE, head=Recorder(), heads={name: Recorder()})


def test_further_heads_have_names_and_editors_are_a_list() -> None:
    with pytest.raises(ValueError, match=r'heads is a list; expected a name for each further head'):
        BaseAlgorithm(BACKBONE, heads=[Recorder()])
    with pytest.raises(
        ValueError, match=r"view_editors is \{'type': 'InstanceMix'\}; expected a l"
    ):
        BaseAlgorithm(BACKBONE, view_editors=dict(type='InstanceMix'))


def test_two_contrastive_heads_take_a_step() -> None:
    torch.manual_seed(0)
    heads = dict(
        sup=dict(type='SupConHead', tap='backbone', weight=0.5),
        classifier=dict(type='BalancedSoftmaxHead', num_classes=3, in_channels=64),
        second=dict(type='BalancedSoftmaxHead', num_classes=3, in_channels=64),
    )
    for part in ('classifier', 'second'):
        heads[part]['class_counts'] = [5, 3, 1]
    model = InBatchContrast(
        BACKBONE,
        head=dict(type='NTXentHead'),
        neck=dict(type='MLPNeck', in_channels=64, out_channels=8),
        heads=heads,
    )
    batch = model.data_preprocessor(views(4), True)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    before = model.backbone.conv1.weight.detach().clone()
    losses = model(**batch, mode='loss')
    shares = ('sup.loss_contrast', 'classifier.loss_classification', 'second.loss_classification')
    assert {'loss_contrast', 'acc_contrast', 'sup.acc_contrast', 'second.acc_top1', *shares} <= set(
        losses
    )
    features = model.embed(torch.cat(batch['inputs']))
    pooled = torch.stack(features.backbone.chunk(2), dim=1)
    expected = model.heads['sup'].loss(pooled, batch['data_samples'])['loss_contrast']
    torch.testing.assert_close(losses['sup.loss_contrast'], expected)
    total, _ = model.parse_losses(losses)
    torch.testing.assert_close(total, sum(losses[n] for n in ('loss_contrast', *shares)))
    optimizer.update_params(total)
    assert not torch.equal(model.backbone.conv1.weight, before)


def test_a_model_without_a_head_has_no_loss() -> None:
    model = InBatchContrast(BACKBONE)
    with pytest.raises(ValueError, match='InBatchContrast has no head, so there is no loss'):
        model(**model.data_preprocessor(views(3), True), mode='loss')


def test_the_head_that_classifies() -> None:
    first, second = ESupConHead(3, 64, tap='backbone'), ESupConHead(4, 64, tap='backbone')
    model = BaseAlgorithm(BACKBONE, head=SupConHead(), heads=dict(labels=first))
    assert classifier_of(model) is first
    assert classifier_of(BaseAlgorithm(BACKBONE, head=SupConHead())) is None
    with pytest.raises(ValueError, match='the heads head and more both classify'):
        classifier_of(BaseAlgorithm(BACKBONE, head=first, heads=dict(more=second)))
