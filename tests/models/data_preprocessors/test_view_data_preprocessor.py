"""Normalization by the formula, and the batch contract."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.data_preprocessors import ColorSpaceDataPreprocessor, ViewDataPreprocessor
from mochi_mm.models.functional.augment import blur_radius, gaussian_blur
from mochi_mm.structures import ViewParameters


def test_normalizes_each_view() -> None:
    mean, std = (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)
    preprocessor = ViewDataPreprocessor(mean, std)
    views = [torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8) for _ in range(3)]
    labels = torch.tensor([3, -1])
    batch = preprocessor(dict(inputs=views, data_samples=dict(gt_label=labels)), True)
    for view, out in zip(views, batch['inputs'], strict=True):
        assert out.dtype == torch.float32
        for channel in range(3):
            expected = (view[:, channel].double() - mean[channel]) / std[channel]
            torch.testing.assert_close(out[:, channel].double(), expected, rtol=1e-6, atol=1e-6)
    assert torch.equal(batch['data_samples']['gt_label'], labels)


def test_state_dict_is_empty() -> None:
    assert ViewDataPreprocessor().state_dict() == {}


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='std above 0'):
        ViewDataPreprocessor(std=(1, 0, 1))
    with pytest.raises(ValueError, match='one number of each for every channel'):
        ViewDataPreprocessor(mean=(1,))
    preprocessor = ViewDataPreprocessor()
    with pytest.raises(
        ValueError, match=r'a tensor of shape \(2, 3, 4, 4\); expected a list of views'
    ):
        preprocessor(dict(inputs=torch.zeros(2, 3, 4, 4), data_samples={}))
    with pytest.raises(ValueError, match='default_collate'):
        preprocessor(dict(inputs=[torch.zeros(2, 4, 4)], data_samples={}))
    with pytest.raises(ValueError, match='views have 1 channels, but mean and std .* have 3'):
        preprocessor(dict(inputs=[torch.zeros(2, 1, 4, 4)], data_samples={}))


def test_a_training_batch_is_checked_before_it_is_moved() -> None:
    preprocessor = ViewDataPreprocessor()
    samples = dict(gt_label=torch.tensor([3, -1]))
    data = dict(inputs=[torch.zeros(2, 3, 4, 4)], data_samples=samples)
    seen = []
    preprocessor.check_samples = seen.append
    preprocessor(data)
    assert seen == []
    preprocessor(data, True)
    assert len(seen) == 1 and seen[0]['gt_label'] is samples['gt_label']

    def refuse(samples: object) -> None:
        raise ValueError('unknown')

    preprocessor.check_samples = refuse
    with pytest.raises(ValueError, match='unknown'):
        preprocessor(data, True)


def parameters(batch: int) -> ViewParameters:
    """Of two views: no change of colors, no blur, no flip, a crop of eight pixels."""
    return ViewParameters(
        of_pixel=torch.eye(3).repeat(batch, 2, 1, 1),
        of_mean=torch.zeros(batch, 2, 3, 3),
        sigma=torch.zeros(batch, 2),
        flip=torch.zeros(batch, 2, dtype=torch.bool),
        box=torch.tensor([0.0, 0.0, 8.0, 8.0]).repeat(batch, 2, 1),
        size=torch.full((batch, 2), 8),
    )


def test_drawn_parameters_are_applied_to_each_sample() -> None:
    preprocessor = ViewDataPreprocessor((0, 0, 0), (1, 1, 1))
    views = [torch.randint(0, 256, (3, 3, 6, 5), dtype=torch.uint8) for _ in range(2)]
    drawn = parameters(3)
    drawn.flip[0, 0] = True
    drawn.of_pixel[1, 0] *= 0.5  # darker
    drawn.sigma[2, 1] = 1.5
    samples = dict(gt_label=torch.arange(3), view_parameters=drawn)
    done = preprocessor(dict(inputs=views, data_samples=samples))
    assert set(done['data_samples']) == {'gt_label'}
    first, second = done['inputs']
    assert torch.equal(first[0], views[0][0].flip(2).float())
    torch.testing.assert_close(first[1], views[0][1].float() / 2)
    assert torch.equal(first[2], views[0][2].float())
    assert torch.equal(second[:2], views[1][:2].float())
    expected = gaussian_blur(views[1][2:].float(), torch.tensor([1.5]), blur_radius(1.5))
    torch.testing.assert_close(second[2:], expected)


def test_held_images_are_cut_on_the_device() -> None:
    preprocessor = ViewDataPreprocessor((0, 0, 0), (1, 1, 1))
    pixels = torch.randint(0, 256, (4, 8, 9, 3), dtype=torch.uint8)
    numbers = [torch.tensor([3, 0]), torch.tensor([1, 1])]
    data = dict(inputs=numbers, data_samples=dict(view_parameters=parameters(2)))
    with pytest.raises(ValueError, match='views are numbers of images, and none are held'):
        preprocessor(data)
    preprocessor.hold(pixels)
    done = preprocessor(data)['inputs']
    for view, ids in zip(done, numbers, strict=True):
        expected = pixels[ids][:, :8, :8].permute(0, 3, 1, 2).float()
        torch.testing.assert_close(view, expected)
    assert preprocessor.state_dict() == {}


@pytest.mark.parametrize('drawn', [torch.zeros(2, 2, 20), None, parameters(2)])
def test_other_parameters_are_refused(drawn: object) -> None:
    """Columns by number, none, and those of two views for three."""
    views = [torch.zeros(2, 3, 4, 4)] * 3
    data = dict(inputs=views, data_samples=dict(view_parameters=drawn))
    with pytest.raises(ValueError, match=r'view_parameters is .* for 3 views; expected the ViewP'):
        ViewDataPreprocessor()(data)


def test_gray_levels_take_the_normalization_back() -> None:
    part = ViewDataPreprocessor(mean=(1, 2, 3), std=(4, 5, 6))
    view = 255 * torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(part.gray_levels(part.normalize(view)), view)
    expected = (float(view[1, 2, 3, 0]) - 3) / 6
    assert float(part.normalize(view)[1, 2, 3, 0]) == pytest.approx(expected)
    lab = ColorSpaceDataPreprocessor()
    with pytest.raises(ValueError, match='ColorSpaceDataPreprocessor converts colors'):
        lab.gray_levels(view)
