"""Each head is given the features that it taps, and further heads add their losses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.registry import MODELS
from mochi_mm.structures import Views
from tests.models.algorithms.toy import build_moco, views

BACKBONE = dict(type='ResNet', depth=10, width=0.125, stem='small')
NECK = dict(type='MLPNeck', in_channels=64, out_channels=8)


class Keep(torch.nn.Module):
    """Keeps what it is given."""

    def __init__(self, tap: str, takes: str = 'views') -> None:
        super().__init__()
        self.tap, self.takes, self.seen = tap, takes, Views({})

    def loss_views(self, online: Any, target: Any = None, data_samples: Any = None) -> Any:
        self.seen = Views(online, target or {}, data_samples)
        return {f'loss_{self.tap}': sum(rows.sum() for rows in online.values())}

    def check_samples(self, samples: Any) -> None:
        pass


def test_heads_in_the_batch() -> None:
    torch.manual_seed(0)
    heads = {tap: Keep(tap) for tap in ('backbone', 'neck', 'predictor')}
    model = MODELS.build(dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK, heads=heads))
    batch = model.data_preprocessor(views(3), True)
    losses = model(**batch, mode='loss')
    assert set(losses) == {f'loss_{tap}' for tap in heads}
    seen = {tap: head.seen.online for tap, head in model.heads.items()}
    assert seen['backbone'][0].shape == (3, 64) and seen['neck'][1].shape == (3, 8)
    for view in range(2):
        torch.testing.assert_close(model.neck(seen['backbone'][view]), seen['neck'][view])
        assert torch.equal(seen['neck'][view], seen['predictor'][view])


def test_heads_of_an_averaged_encoder() -> None:
    """Keys have no predictor: its tap gives the neck's embedding there."""
    predictor = dict(type='MLPNeck', in_channels=8, out_channels=8)
    heads = {tap: Keep(tap, 'pairs') for tap in ('backbone', 'neck', 'predictor')}
    model = build_moco(mixing=False, predictor=predictor, batch_shuffle='none', heads=heads)
    model(**model.data_preprocessor(views(3), True), mode='loss')
    online, target = (
        {tap: getattr(head.seen, side) for tap, head in model.heads.items()}
        for side in ('online', 'target')
    )
    torch.testing.assert_close(model.neck(online['backbone'][0]), online['neck'][0])
    torch.testing.assert_close(model.predictor(online['neck'][0]), online['predictor'][0])
    assert not torch.equal(online['neck'][0], online['predictor'][0])
    torch.testing.assert_close(model.key_encoder['neck'](target['backbone'][1]), target['neck'][1])
    assert torch.equal(target['neck'][1], target['predictor'][1])


def test_a_head_on_the_pooled_features_is_that_head_alone() -> None:
    torch.manual_seed(0)
    fair = dict(type='FairKLHead', tap='backbone', bias_key='sample_idx')
    config = dict(
        type='InBatchContrast', backbone=BACKBONE, neck=NECK, head=dict(type='NTXentHead')
    )
    model = MODELS.build(dict(config, heads=dict(fair=fair)))
    batch = model.data_preprocessor(views(4), True)
    samples = batch['data_samples']
    losses = model(**batch, mode='loss')
    features = model.embed(torch.cat(batch['inputs']))  # view by view, as in training
    pooled = features.backbone.chunk(2)[0]
    expected = model.heads['fair'].loss(pooled[:, None], samples)['loss_fair_kl']
    torch.testing.assert_close(losses['loss_fair_kl'], expected)
    embeddings = torch.stack(features.neck.chunk(2), dim=1)
    torch.testing.assert_close(
        losses['loss_contrast'], model.head.loss(embeddings)['loss_contrast']
    )


def test_an_unknown_tap_is_refused() -> None:
    for head in (dict(type='NTXentHead', tap='logits'), dict(type='FairKLHead', tap='logits')):
        with pytest.raises(ValueError, match="is 'logits'; expected one of backbone, neck, predic"):
            MODELS.build(dict(type='InBatchContrast', backbone=BACKBONE, neck=NECK, head=head))
