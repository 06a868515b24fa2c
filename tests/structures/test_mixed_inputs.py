"""Partners and shares of mixed queries among the samples."""

from __future__ import annotations

import torch

from mochi_mm.structures import MixedInputs


def test_weights_are_the_target_and_an_image_mixed_with_itself_has_one() -> None:
    mixed = MixedInputs(torch.tensor([2, 1, 0]), torch.tensor([0.75, 0.6, 0.5]))
    image = torch.arange(3)
    assert mixed.alone(image).tolist() == [False, True, False]
    assert mixed.weights(image).tolist() == [[0.75, 0.25], [1.0, 0.0], [0.5, 0.5]]


def test_samples_hold_them_and_nothing_was_mixed_without() -> None:
    samples = dict(gt_label=torch.tensor([4, 5, 6]))
    assert MixedInputs.of(samples) is None
    mixed = MixedInputs(torch.tensor([2, 0, 1]), torch.tensor([0.7, 0.8, 0.9]))
    found = MixedInputs.of(mixed.added_to(samples))
    assert found is not None and found.partner is mixed.partner and found.share is mixed.share
    assert list(samples) == ['gt_label']


def test_partners_are_found_where_the_batch_stands_several_times() -> None:
    samples = dict(gt_label=torch.tensor([4, 5, 6] * 2))
    mixed = MixedInputs(torch.tensor([2, 0, 1] * 2), torch.full((6,), 0.7))
    assert mixed.of_partners(samples)['gt_label'].tolist() == [6, 4, 5] * 2
