"""Several heads: their names and order, and one dict of what they report."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.algorithms.named_heads import classifier_of, join_losses, named_heads
from mochi_mm.models.heads import ESupConHead, SupConHead
from tests.models.algorithms.toy import Recorder

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
    with pytest.raises(ValueError, match='the head b reports acc, loss_x, as a head before it doe'):
        join_losses(dict(a=dict(loss_x=one, acc=two), b=dict(acc=one, loss_x=two, other=three)))


def test_the_head_that_classifies() -> None:
    first, second = ESupConHead(3, 64, tap='backbone'), ESupConHead(4, 64, tap='backbone')
    model = BaseAlgorithm(BACKBONE, head=SupConHead(), heads=dict(labels=first))
    assert classifier_of(model) is first
    assert classifier_of(BaseAlgorithm(BACKBONE, head=SupConHead())) is None
    with pytest.raises(ValueError, match='the heads head and more both classify'):
        classifier_of(BaseAlgorithm(BACKBONE, head=first, heads=dict(more=second)))
