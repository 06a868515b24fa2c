"""Features of a data set: which samples, in which order, and what is left as it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.model import MMDistributedDataParallel
from torch import Tensor
from torch.utils.data import ConcatDataset

from mochi_mm.evaluation.features import extract_features, gather_samples
from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.randomness.random_state import preserved_random_state
from tests.evaluation.toy import ToyImages, toy_loader, toy_model
from tests.ranks import run_ranks


def one_by_one(dataset: ToyImages) -> tuple[Tensor, Tensor]:
    """Normalize, convolve and pool each image alone, in evaluation mode."""
    model = toy_model().eval()
    rows = []
    for image in dataset.images:
        mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
        std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        maps = model.backbone(((image.float() - mean) / std)[None])[0]
        rows.append(maps.mean(dim=(2, 3))[0].detach())
    return torch.stack(rows), dataset.labels


@pytest.mark.parametrize(('size', 'batch_size'), [(1, 5), (5, 5), (11, 5), (24, 7)])
def test_equals_image_by_image(size: int, batch_size: int) -> None:
    dataset = ToyImages(size)
    features, labels = extract_features(toy_model(), toy_loader(dataset, batch_size))
    expected, expected_labels = one_by_one(dataset)
    assert (features.dtype, labels.dtype) == (torch.float32, torch.int64)
    torch.testing.assert_close(features, expected)
    assert labels.tolist() == expected_labels.tolist()


def test_a_shuffling_loader_gives_the_order_of_the_data_set() -> None:
    dataset = ToyImages(13)
    shuffled = toy_loader(dataset, sampler=DefaultSampler(dataset, shuffle=True, seed=3))
    features, labels = extract_features(toy_model(), shuffled)
    expected, expected_labels = one_by_one(dataset)
    torch.testing.assert_close(features, expected)
    assert labels.tolist() == expected_labels.tolist()


def test_flags_statistics_and_gradients_are_left_alone() -> None:
    model = toy_model()
    model.train()
    model.backbone.bn.eval()  # a mixture that train() or eval() could not restore
    flags = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    features, _ = extract_features(model, toy_loader(ToyImages()))
    assert [module.training for module in model.modules()] == flags
    assert not features.requires_grad and torch.is_grad_enabled()
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    bad = ToyImages(unlabeled=[3])
    with pytest.raises(ValueError, match='gt_label -1'):
        extract_features(model, toy_loader(bad), require_labels=True)
    assert [module.training for module in model.modules()] == flags


def test_labels_may_be_missing_where_not_needed() -> None:
    _, labels = extract_features(toy_model(), toy_loader(ToyImages(7, unlabeled=[2])))
    assert labels.tolist() == [0, 1, -1, 3, 4, 5, 0]


def test_samples_that_are_missing_or_share_an_index_are_errors() -> None:
    with pytest.raises(ValueError, match='10 different sample_idx, but its data set has 12'):
        extract_features(toy_model(), toy_loader(ToyImages(12), drop_last=True))
    twice = ConcatDataset([ToyImages(4), ToyImages(4)])
    with pytest.raises(ValueError, match='4 different sample_idx, but its data set has 8'):
        extract_features(toy_model(), toy_loader(twice))
    with pytest.raises(ValueError, match='no batch'):
        extract_features(toy_model(), toy_loader(ToyImages(3), drop_last=True))


def test_random_state_is_preserved() -> None:
    def draws() -> list[float]:
        return [random.random(), np.random.rand(), float(torch.rand(1))]  # noqa: NPY002

    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    expected = draws()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(5)
    with pytest.raises(KeyError), preserved_random_state():
        draws()
        raise KeyError
    assert draws() == expected


def _on_a_rank(rank: int) -> dict[str, object]:
    # 7 samples: the sampler repeats one, so that both ranks have 4.
    dataset = ToyImages(7)
    model = MMDistributedDataParallel(toy_model())
    features, labels = extract_features(model, toy_loader(dataset, batch_size=3))
    # Uneven and out of order, in blocks smaller than either share.
    mine = torch.tensor([5, 3, 4, 3, 0] if rank == 0 else [2, 1])
    (rows,) = gather_samples(mine, mine * 10 + 7, size=6, chunk=2)
    metrics = knn_evaluate(
        model, toy_loader(ToyImages(25)), toy_loader(ToyImages(9, seed=1)), k=(1, 5)
    )
    return dict(features=features, labels=labels, rows=rows, metrics=metrics)


def test_two_ranks_equal_one_process() -> None:
    expected, expected_labels = one_by_one(ToyImages(7))
    metrics = knn_evaluate(
        toy_model(), toy_loader(ToyImages(25)), toy_loader(ToyImages(9, seed=1)), k=(1, 5)
    )
    for result in run_ranks(_on_a_rank, 2):
        torch.testing.assert_close(result['features'], expected)
        assert result['labels'].tolist() == expected_labels.tolist()
        assert result['rows'].tolist() == [7, 17, 27, 37, 47, 57]
        assert result['metrics'] == metrics
