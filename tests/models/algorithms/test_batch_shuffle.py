"""Keys in other groups of images than their queries, on one process and over ranks."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.algorithms.batch_shuffle import BatchShuffle
from mochi_mm.models.layers.split_batch_norm import _SplitBatchNorm
from mochi_mm.randomness import StepKey
from mochi_mm.structures.features import Features
from tests.models.algorithms.toy import build_moco, views
from tests.ranks import run_ranks


def keys_of(model: Any, images: torch.Tensor) -> torch.Tensor:
    return model.embed_keys({1: images})[1].neck


def test_split_bn_normalizes_query_and_key_in_different_groups() -> None:
    model = build_moco(batch_shuffle='split_bn', num_splits=2)
    assert sum(isinstance(m, _SplitBatchNorm) for m in model.modules()) > 4
    seen: list[torch.Tensor] = []
    model.key_encoder['backbone'].conv1.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone())
    )
    batch = views(6)
    model.set_step(StepKey(0, 0))
    model(**model.data_preprocessor(batch), mode='loss')
    images = model.data_preprocessor(batch)['inputs'][1]
    order = [int((images - row).abs().flatten(1).sum(1).argmin()) for row in seen[0]]
    assert sorted(order) == list(range(6)) and order != list(range(6))


def test_keys_come_back_in_order() -> None:
    """In evaluation mode the order does not matter, so shuffled keys must equal plain ones."""
    model = build_moco(batch_shuffle='split_bn').eval()
    plain = build_moco(batch_shuffle='none').eval()
    images = model.data_preprocessor(views(7))['inputs'][1]
    model.set_step(StepKey(0, 0))
    torch.testing.assert_close(keys_of(model, images), keys_of(plain, images))


def test_auto_is_split_bn_on_one_process() -> None:
    assert build_moco(batch_shuffle='auto').batch_shuffle == 'split_bn'


def test_all_taps_come_back_in_order() -> None:
    shuffle = BatchShuffle('split_bn')
    shuffle.step_key = StepKey(0, 0)
    seen: list[torch.Tensor] = []

    def encode(images: torch.Tensor) -> Features:
        seen.append(images)
        return Features(images, 2 * images, 3 * images)

    images = torch.arange(9.0)
    features = shuffle(encode, images)
    assert not torch.equal(seen[0], images)
    assert torch.equal(features.backbone, images)
    # A key goes through no predictor: both of its last taps are the neck.
    assert torch.equal(features.neck, 2 * images) and torch.equal(features.predictor, 2 * images)
    assert torch.equal(BatchShuffle('none')(encode, images).predictor, 3 * images)


def test_the_order_is_keyed_by_the_step() -> None:
    def order(key: StepKey | None) -> list[float]:
        shuffle = BatchShuffle('split_bn')
        shuffle.step_key = key
        seen: list[torch.Tensor] = []
        shuffle(lambda x: seen.append(x) or Features(x, x, x), torch.arange(32.0))
        return seen[0].tolist()

    assert order(StepKey(0, 5)) == order(StepKey(0, 5))
    orders = [order(key) for key in (StepKey(0, 5), StepKey(0, 6), StepKey(1, 5), StepKey(0, 5, 1))]
    assert len({tuple(o) for o in orders}) == 4
    assert order(None) != order(None)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="batch_shuffle is 'yes'; expected one of"):
        build_moco(batch_shuffle='yes')
    with pytest.raises(ValueError, match='one process'):
        build_moco(batch_shuffle='shuffle')


def without_a_key(rank: int) -> str:
    images = torch.zeros(2, 3, 8, 8)
    with pytest.raises(ValueError) as error:
        BatchShuffle('shuffle')(lambda x: Features(x, x, x), images)
    return str(error.value)


def test_ranks_need_a_key_for_their_common_permutation() -> None:
    for text in run_ranks(without_a_key, 2):
        assert 'call model.set_step(StepKey(seed, iteration)) before each step' in text


def shuffled_keys(rank: int, splits: list[int]) -> dict[str, torch.Tensor]:
    model = build_moco(batch_shuffle='auto').eval()
    assert model.batch_shuffle == 'shuffle'
    model.set_step(StepKey(0, 3, rank))
    images = model.data_preprocessor(views(sum(splits)))['inputs'][1].split(splits)[rank]
    seen: list[torch.Tensor] = []
    model.key_encoder['backbone'].register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone())
    )
    features = model.embed_keys({1: images})[1]
    return dict(keys=features.neck, pooled=features.backbone, seen=seen[0])


@pytest.mark.parametrize('splits', [[4, 4], [5, 2]])
def test_shuffling_over_ranks(splits: list[int]) -> None:
    results = run_ranks(shuffled_keys, 2, splits)
    plain = build_moco(batch_shuffle='none').eval()
    images = plain.data_preprocessor(views(sum(splits)))['inputs'][1]
    keys = torch.cat([r['keys'] for r in results])
    torch.testing.assert_close(keys, keys_of(plain, images), rtol=1e-5, atol=1e-6)
    # A head may tap them: each rank gets those of its own keys.
    pooled = torch.cat([r['pooled'] for r in results])
    expected = plain.embed_keys({1: images})[1].backbone
    torch.testing.assert_close(pooled, expected, rtol=1e-5, atol=1e-6)
    exchanged = torch.cat([r['seen'] for r in results])
    assert not torch.equal(exchanged, images)
    assert torch.equal(
        exchanged.flatten(1).sum(1).sort().values, images.flatten(1).sum(1).sort().values
    )
    assert [len(r['seen']) for r in results] == splits
