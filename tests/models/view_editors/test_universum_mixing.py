"""Universum views: the definition, keyed draws, one class, what is refused, a resumed run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import Tensor, nn

from mochi_mm.models.functional.image_mixing import cutmix_boxes, other_class_partners
from mochi_mm.models.view_editors import UniversumMixing
from mochi_mm.randomness import StepKey
from tests.models.view_editors.runs import assert_resumes
from tests.models.view_editors.test_check_classes import facts

LABELS = torch.tensor([2, 0, 0, 2, 1])
KEY = StepKey(3, 7, 1)


def batch(views: int = 2, side: int = 32) -> tuple[list[Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(views)
    inputs = [torch.rand(5, 3, side, side, generator=generator) for _ in range(views)]
    return inputs, dict(gt_label=LABELS, sample_idx=torch.arange(5))


def edited(editor: Any, key: StepKey | None = KEY, **kwargs: Any) -> tuple[list[Tensor], Any]:
    if key is not None:
        editor.set_step(key)
    return editor(*batch(**kwargs), nn.Identity())


def test_the_worked_pixel() -> None:
    """Own (.2, .4), other (1, 0), lambda .5."""
    own, other = (torch.tensor(pixel).view(1, 1, 1, 2) for pixel in ((0.2, 0.4), (1.0, 0.0)))
    views, _ = UniversumMixing()([torch.cat([own, other])], dict(gt_label=torch.arange(2)), None)
    assert views[1].flatten().tolist() == pytest.approx([0.6, 0.2] * 2, abs=1e-7)


@pytest.mark.parametrize('mode', ['mixup', 'cutmix'])
@pytest.mark.parametrize(('views', 'share'), [(1, 0.5), (2, 0.3), (3, 0.6)])
def test_views_are_added_by_the_definition(mode: str, views: int, share: float) -> None:
    editor = UniversumMixing(share, mode)
    inputs, _ = batch(views)
    results, samples = edited(editor, views=views)
    assert len(results) == 2 * views and editor.made(views) == range(views, 2 * views)
    assert all(torch.equal(a, b) for a, b in zip(inputs, results, strict=False))
    generator = KEY.generator('view editor UniversumMixing')
    partners, _ = other_class_partners(LABELS, views, generator)
    boxes = cutmix_boxes(32, 32, share)
    number = KEY.number('number of view editor UniversumMixing', per_rank=False) >> 1
    top, bottom, left, right = boxes[number % len(boxes)]
    for v in range(views):
        for b in range(5):
            own, other = inputs[v][b].double(), inputs[0][int(partners[v, b])].double()
            expected = share * other + (1 - share) * own
            if mode == 'cutmix':
                expected = other.clone()
                expected[:, top:bottom, left:right] = own[:, top:bottom, left:right]
            found = results[views + v][b].double()
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert samples['has_partner'].all() and samples['gt_label'] is LABELS


@pytest.mark.parametrize('mode', ['mixup', 'cutmix'])
def test_draws_are_keyed_by_step_and_rank(mode: str) -> None:
    def universum(key: StepKey) -> Tensor:
        return edited(UniversumMixing(mode=mode), key)[0][2]

    assert torch.equal(universum(KEY), universum(KEY))
    for other in (StepKey(4, 7, 1), StepKey(3, 8, 1), StepKey(3, 7, 0)):
        assert not torch.equal(universum(KEY), universum(other))


def test_the_box_of_a_step_is_that_of_all_ranks() -> None:
    editor, boxes = UniversumMixing(mode='cutmix'), []
    for iteration in range(40):
        for rank in range(2):
            editor.set_step(StepKey(0, iteration, rank))
            boxes.append(editor._box(1000))
    assert boxes[::2] == boxes[1::2] and len(set(boxes)) > 30


@pytest.mark.parametrize('mode', ['mixup', 'cutmix'])
@pytest.mark.parametrize('size', [1, 3])
def test_a_batch_of_one_class_is_left_as_it_is(mode: str, size: int) -> None:
    inputs = [torch.rand(size, 3, 32, 32) for _ in range(2)]
    editor = UniversumMixing(0.3, mode)
    results, samples = editor(inputs, dict(gt_label=torch.full((size,), 4)), None)
    assert all(torch.equal(a, b) for a, b in zip(results, [*inputs, *inputs], strict=True))
    assert not samples['has_partner'].any()


def test_a_batch_of_one_class_is_said_once() -> None:
    editor, said = UniversumMixing(), []
    with mock.patch(f'{UniversumMixing.__module__}.print_log', lambda *a: said.append(a)):
        editor.check_samples(dict(gt_label=LABELS))
        assert not said
        for _ in range(2):
            editor.check_samples(dict(gt_label=torch.full((6,), 4, device='meta')))
            editor.check_samples(dict(gt_label=torch.full((6,), 4)))
    ((text, logger, level),) = said
    assert text.startswith('a batch of 6 images has one class alone') and 'batch_size' in text
    assert (logger, level) == ('current', logging.WARNING)


@pytest.mark.parametrize('labels', [[1, 1, 1], [-1, -1], [0, 1, -1]])
def test_a_training_set_that_cannot_be_mixed_is_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match='UniversumMixing mixes images .* at least 2 classes'):
        UniversumMixing().set_data(facts(labels))
    UniversumMixing().set_data(facts([0, 1, 1]))
    UniversumMixing(label_key='kind').set_data(facts(labels))  # of which the facts say nothing


def test_a_batch_without_labels_is_refused() -> None:
    needs = 'UniversumMixing needs gt_label for every sample'
    with pytest.raises(ValueError, match=f'{needs}, got none'):
        UniversumMixing().check_samples({})
    with pytest.raises(ValueError, match=f'{needs}, got unknown'):
        UniversumMixing().check_samples(dict(gt_label=torch.tensor([0, -1])))
    with pytest.raises(ValueError, match='UniversumMixing needs kind .*extra_keys'):
        UniversumMixing(label_key='kind')(*batch(), None)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(partner_share=0), r'partner_share is 0; expected a share inside \(0, 1\)'),
        (dict(partner_share=1), 'partner_share is 1'),
        (dict(partner_share=-0.5), 'partner_share is -0.5'),
        (dict(partner_share=float('nan')), 'partner_share is nan'),
        (dict(partner_share=True), 'partner_share is True'),
        (dict(mode='cut'), "mode is 'cut'; expected one of mixup, cutmix"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UniversumMixing(**settings)


def test_images_too_small_for_a_box_are_said() -> None:
    with pytest.raises(ValueError, match='an image of 8 x 8 pixels'):
        edited(UniversumMixing(mode='cutmix'), side=8)


def test_a_resumed_run_equals_the_straight_one(tmp_path: Path) -> None:
    editors = [dict(type='UniversumMixing', mode='cutmix')]
    assert_resumes(tmp_path, editors, dict(type='UniConHead', key_source='real+universum'))
