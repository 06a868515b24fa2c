"""One encoder for all views: order, counts, a second head, a whole step on two ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.registry import MODELS
from tests.models.algorithms.test_whole_step_ranks import STEPS, SyncedBatchNorm2d
from tests.models.algorithms.toy import Recorder, views
from tests.ranks import run_ranks

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)


def build(seed: int = 0, **kwargs: Any) -> Any:
    torch.manual_seed(seed)
    config: dict[str, Any] = dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK)
    model = MODELS.build(dict(config, **kwargs))
    model.init_weights()
    return model.train()


@pytest.mark.parametrize('former', [False, True])
@pytest.mark.parametrize('num_views', [2, 3])
def test_embeddings_reach_the_heads_view_by_view(num_views: int, former: bool) -> None:
    """Also by the name that the second head had in 0.1, which stood behind the backbone."""
    head, second = Recorder(), Recorder('loss_second', tap='backbone')
    heads = dict(backbone_head=second) if former else dict(heads=dict(second=second))
    model = build(head=head, num_views=num_views, **heads).eval()
    batch = model.data_preprocessor(views(5, num_views=num_views))
    losses = model(**batch, mode='loss')
    assert list(head.online) == list(range(num_views))
    for v, images in enumerate(batch['inputs']):
        pooled = pool(model.backbone(images))
        torch.testing.assert_close(head.online[v], model.neck(pooled))
        torch.testing.assert_close(second.online[v], pooled)
    assert head.samples is batch['data_samples'] and set(losses) == {'loss', 'loss_second'}


def test_batch_norm_sees_all_views_together() -> None:
    model = build(head=Recorder())
    batch = model.data_preprocessor(views(4))
    model(**batch, mode='loss')
    reference = build(head=Recorder())
    reference.backbone(torch.cat(batch['inputs']))
    for name, value in reference.backbone.state_dict().items():
        torch.testing.assert_close(model.backbone.state_dict()[name], value, msg=name)


def test_crops_of_two_sizes_pass_as_two_batches() -> None:
    """In the order of their numbers, however sizes alternate; each with its own batch norms."""
    head = Recorder()
    model, reference = build(head=head, num_views=4), build(head=Recorder(), num_views=2)
    batch = model.data_preprocessor(views(4, num_views=4))
    inputs = [view[..., :6, :6] if i % 2 else view for i, view in enumerate(batch['inputs'])]
    model(inputs, batch['data_samples'], mode='loss')
    for numbers in ((0, 2), (1, 3)):
        rows = reference.embed(torch.cat([inputs[i] for i in numbers])).neck.chunk(2)
        for i, expected in zip(numbers, rows, strict=True):
            torch.testing.assert_close(head.online[i], expected)
    assert list(head.online) == [0, 1, 2, 3]
    for name, value in reference.backbone.state_dict().items():
        torch.testing.assert_close(model.backbone.state_dict()[name], value, msg=name)


class Doubles(BaseViewEditor):
    """Adds the negative of each view."""

    makes = 'universum'

    def made(self, num_views: int) -> range:
        return range(num_views, 2 * num_views)

    def edit(self, inputs: Any, samples: Any, model: Any) -> Any:
        return [*inputs, *(-view for view in inputs)], dict(samples, added=True)


def test_what_an_editor_makes_passes_before_as_a_batch_of_its_own() -> None:
    head = Recorder()
    head.needs_made = 'universum'
    model = build(head=head, view_editors=[Doubles()])
    batch = model.data_preprocessor(views(4))
    model(**batch, mode='loss')
    reference = build(head=Recorder())
    images = torch.cat(batch['inputs'])
    made, real = (reference.neck(pool(reference.backbone(part))) for part in (-images, images))
    assert list(head.online) == [0, 1, 2, 3] and head.samples['added']
    for view, expected in enumerate([*real.chunk(2), *made.chunk(2)]):
        torch.testing.assert_close(head.online[view], expected)
    for name, value in reference.backbone.state_dict().items():
        torch.testing.assert_close(model.backbone.state_dict()[name], value, msg=name)


def test_without_a_neck_the_pooled_features_are_contrasted() -> None:
    head = Recorder()
    model = build(neck=None, head=head)
    model(**model.data_preprocessor(views(4)), mode='loss')
    assert [rows.shape for rows in head.online.values()] == [(4, 64)] * 2


def test_too_few_views_are_found_when_built_and_when_run() -> None:
    with pytest.raises(
        ValueError, match='num_views is 1 but NTXentHead, as it is set, compares at least 2'
    ):
        build(head=dict(type='NTXentHead'), num_views=1)
    assert build(head=dict(type='SupConHead'), num_views=1).num_views == 1
    model = build(head=dict(type='NTXentHead'))
    with pytest.raises(ValueError, match='takes 2 views of each image, got 1'):
        model(**model.data_preprocessor(views(4, num_views=1)), mode='loss')


def test_two_losses_of_one_name_are_told_apart() -> None:
    model = build(head=Recorder(), heads=dict(second=Recorder()))
    losses = model(**model.data_preprocessor(views(4)), mode='loss')
    assert list(losses) == ['loss', 'second.loss']


def double() -> Any:
    """Encoder in float64; the head works in float32."""
    head = dict(type='NTXentHead', temperature=0.5)
    return build(head=head).double()


def train(model: InBatchContrast, trained: nn.Module, split: Any) -> dict[str, Any]:
    """Three plain SGD steps; ``split`` takes this rank's share of a tensor."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for iteration, splits in enumerate(STEPS):
        batch = views(sum(splits), seed=iteration)
        share = dict(inputs=[split(view, splits) for view in batch['inputs']])
        inputs = [view.double() for view in model.data_preprocessor(share)['inputs']]
        optimizer.zero_grad()
        loss = trained(inputs, None, mode='loss')['loss_contrast']
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return dict(losses=losses, state=dict(model.state_dict()))


def on_a_rank(rank: int) -> dict[str, Any]:
    model = double()
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
    wrapped = DistributedDataParallel(model, broadcast_buffers=False)
    result = train(model, wrapped, lambda tensor, splits: tensor.split(splits)[rank])
    for loss in result['losses']:
        dist.all_reduce(loss)
        loss /= 2
    return result


def test_a_whole_step_on_two_ranks_equals_one_process() -> None:
    results = run_ranks(on_a_rank, 2)
    model = double()
    whole = train(model, model, lambda tensor, splits: tensor)
    for step in range(len(STEPS)):
        torch.testing.assert_close(
            results[0]['losses'][step], whole['losses'][step], rtol=1e-4, atol=1e-4
        )
    for result in results:
        for name, value in whole['state'].items():
            if 'num_batches_tracked' not in name:
                torch.testing.assert_close(
                    result['state'][name], value, rtol=1e-3, atol=1e-4, msg=name
                )
    moved = (whole['state']['backbone.conv1.weight'] - double().backbone.conv1.weight).abs().max()
    assert moved > 1e-2
