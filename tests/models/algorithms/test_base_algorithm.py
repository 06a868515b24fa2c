"""What every algorithm shares: modes, layouts, taps, several heads, editors, checks of a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm, pool
from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.randomness import StepKey
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import Recorder, build_moco, views

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)


def in_batch(**kwargs: Any) -> Any:
    torch.manual_seed(0)
    config: dict[str, Any] = dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK)
    return MODELS.build(dict(config, **kwargs)).train()


def loss(model: Any, batch: dict[str, Any]) -> Tensor:
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(StepKey(0, 0))
    return model(**model.data_preprocessor(batch, True), mode='loss')['loss_contrast']


class Times(BaseViewEditor):
    """Multiplies the views, and writes down what it was given."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def edit(self, inputs: list[Tensor], samples: Any, model: Any) -> Any:
        self.given = inputs
        return [self.factor * view + 1 for view in inputs], dict(samples, last=self.factor)


def test_pooling_takes_the_last_map_or_a_vector() -> None:
    maps = [torch.rand(2, 3, 4, 4), torch.rand(2, 5, 2, 2)]
    torch.testing.assert_close(pool(maps), maps[1].mean((2, 3)))
    torch.testing.assert_close(pool(maps[0]), maps[0].mean((2, 3)))
    vector = torch.rand(2, 7)
    assert pool(vector) is vector and pool([vector]) is vector


def test_embedding_without_neck_and_unknown_encoders() -> None:
    model = in_batch(neck=None, head=Recorder()).eval()
    images = model.data_preprocessor(views(3))['inputs'][0]
    features = model.embed(images)
    assert torch.equal(features.neck, features.backbone)
    assert torch.equal(features.predictor, features.backbone)
    with pytest.raises(KeyError, match="InBatchContrast has no encoder 'target'; expected online"):
        model.embed(images, 'target')


def test_every_head_is_given_what_it_taps_and_losses_are_joined() -> None:
    first, second = Recorder(), Recorder('loss_second', tap='backbone')
    model = in_batch(head=first, heads=dict(second=second)).eval()
    batch = model.data_preprocessor(views(4))
    losses = model(**batch, mode='loss')
    assert list(losses) == ['loss', 'loss_second']
    for view, images in enumerate(batch['inputs']):
        pooled = pool(model.backbone(images))
        torch.testing.assert_close(first.online[view], model.neck(pooled))
        torch.testing.assert_close(second.online[view], pooled)
    assert first.target == {} and second.samples is batch['data_samples']


def test_a_head_that_uses_features_is_given_them_beside_the_embeddings() -> None:
    plain, second = Recorder(), Recorder('loss_second')
    second.uses_features = True
    model = in_batch(head=plain, heads=dict(second=second)).eval()
    batch = model.data_preprocessor(views(4))
    model(**batch, mode='loss')
    assert plain.features is None and sorted(second.features) == [0, 1]
    for view, images in enumerate(batch['inputs']):
        torch.testing.assert_close(second.features[view], pool(model.backbone(images)))
        assert second.features[view].requires_grad


def test_heads_by_name_need_no_first_one_and_are_saved() -> None:
    head = dict(type='NTXentHead', temperature=0.5)
    queue = dict(type='FeatureQueue', length=16, dim=8)
    model = build_moco(
        head=None, heads=dict(plain=dict(type='ContrastiveHead', memory=queue)), mixing=False
    )
    assert 'heads.plain.memory.features' in model.state_dict()
    result = model(**model.data_preprocessor(views(4), True), mode='loss')
    assert torch.isfinite(result['loss_contrast'])
    alone = in_batch(heads=dict(plain=head))
    batch = alone.data_preprocessor(views(4))
    expected = in_batch(head=head)(**batch, mode='loss')
    assert torch.equal(alone(**batch, mode='loss')['loss_contrast'], expected['loss_contrast'])


def test_target_features_are_tapped_as_well() -> None:
    recorder = Recorder(tap='neck', takes='pairs')
    predictor = dict(type='MLPNeck', in_channels=8, out_channels=8)
    model = build_moco(
        head=recorder, mixing=False, batch_shuffle='none', predictor=predictor
    ).eval()
    batch = model.data_preprocessor(views(4))
    model(**batch, mode='loss')
    first, second = batch['inputs']
    torch.testing.assert_close(recorder.online[0], model.embed(first).neck)
    torch.testing.assert_close(recorder.target[1], model.embed(second, 'target').neck)
    assert not recorder.target[1].requires_grad and recorder.online[0].requires_grad


def test_editors_work_in_their_order_on_training_batches_alone() -> None:
    editors, head = [Times(2.0), Times(3.0)], Recorder()
    model = in_batch(head=head, view_editors=editors).eval()
    batch = model.data_preprocessor(views(4))
    kept = [view.clone() for view in batch['inputs']]
    model(**batch, mode='loss')
    for view, given in zip(batch['inputs'], editors[1].given, strict=True):
        torch.testing.assert_close(given, 2 * view + 1)
    expected = model.embed(3 * (2 * batch['inputs'][0] + 1) + 1).neck
    torch.testing.assert_close(head.online[0], expected)
    assert head.samples['last'] == 3.0 and 'last' not in batch['data_samples']
    for view, before in zip(batch['inputs'], kept, strict=True):
        assert torch.equal(view, before)
    torch.testing.assert_close(
        model(batch['inputs'][:1], mode='tensor'), pool(model.backbone(batch['inputs'][0]))
    )


def test_a_training_batch_is_checked_by_every_head_before_it_is_moved() -> None:
    class Refuses(Recorder):
        def check_samples(self, samples: Any) -> None:
            raise ValueError(f'refused {samples["gt_label"].tolist()}')

    model = in_batch(head=Recorder(), heads=dict(other=Refuses('loss_other')))
    moved: list[Any] = []
    model.data_preprocessor.cast_data = lambda data: moved.append(data) or data
    with pytest.raises(ValueError, match=r'refused \[0, 1, 2, 0\]'):
        model.data_preprocessor(views(4), True)
    assert not moved
    model.data_preprocessor(views(4), False)  # evaluation needs no labels
    assert moved


def test_labels_that_a_head_needs_are_missed_before_the_encoders() -> None:
    model = in_batch(head=dict(type='SupConHead'))
    batch = views(4)
    batch['data_samples']['gt_label'][1] = -1
    with pytest.raises(ValueError, match=r'SupConHead needs gt_label .* unknown ones \(-1\)'):
        model.data_preprocessor(batch, True)


def test_what_is_trained_by_another_says_so() -> None:
    model = BaseAlgorithm(BACKBONE)
    batch = model.data_preprocessor(views(2))
    with pytest.raises(NotImplementedError, match='BaseAlgorithm is not trained by itself'):
        model(**batch, mode='loss')
    with pytest.raises(NotImplementedError, match='predicts nothing: measure its features'):
        model(**batch, mode='predict')


@pytest.mark.parametrize(('tap', 'width'), [('backbone', 64), ('neck', 8)])
def test_the_head_that_classifies_predicts_from_what_it_taps(tap: str, width: int) -> None:
    head = dict(type='ESupConHead', num_classes=3, in_channels=width, tap=tap)
    model = in_batch(head=dict(type='NTXentHead'), heads=dict(labels=head)).eval()
    batch = model.data_preprocessor(views(4, num_views=1))
    (record,) = model(**batch, mode='predict')
    features = model.embed(batch['inputs'][0]).at(tap)
    assert torch.equal(record['scores'], model.heads['labels'].predict(features))
    assert record['scores'].shape == (4, 3) and record['sample_idx'].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match='features are taken from one view, got 2'):
        model(**model.data_preprocessor(views(4)), mode='predict')


def test_parts_may_be_modules() -> None:
    backbone, neck = nn.Conv2d(3, 5, 1), nn.Linear(5, 4)
    model = BaseAlgorithm(backbone, neck)
    assert model.backbone is backbone and model.neck is neck and model.head is None


def test_channels_last_changes_rounding_only() -> None:
    plain, last = build_moco(), build_moco(channels_last=True)
    weight = last.backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    batch = views(4)
    torch.testing.assert_close(
        loss(plain, batch),
        loss(last, batch),
        rtol=1e-4,
        atol=1e-5,
    )
    with torch.no_grad():
        for p in last.query_parameters():
            p.add_(0.01)
    last.update_ema()
    assert (
        last.key_encoder['backbone']
        .layer1[0]
        .conv1.weight.is_contiguous(memory_format=torch.channels_last)
    )


def test_extract_feat_and_modes() -> None:
    model = build_moco().eval()
    batch = model.data_preprocessor(views(3, num_views=1))
    features = model(**batch, mode='tensor')
    assert features.shape == (3, 64)
    torch.testing.assert_close(features, model.backbone(batch['inputs'][0])[-1].mean((2, 3)))
    with pytest.raises(ValueError, match="mode is 'train'"):
        model(**batch, mode='train')
    with pytest.raises(ValueError, match='one view, got 2'):
        model.extract_feat(model.data_preprocessor(views(3))['inputs'])
