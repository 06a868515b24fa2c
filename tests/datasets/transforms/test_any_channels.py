"""Every transform on images of 1, 2, 4 and 7 channels, of 8 and of 16 bits.

Three 8-bit channels must give PIL's pixels of an RGB image; floats are compared with the same
operation on the levels in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import default_collate

from mochi_mm.datasets import ChannelShapeScenes, InMemory
from mochi_mm.datasets.channel_image import ChannelImage, gaussian, mix_channels
from mochi_mm.datasets.transforms import (
    AutoAugment,
    CenterCrop,
    ChannelJitter,
    ColorJitter,
    Cutout,
    GaussianBlur,
    PackInputs,
    RandAugment,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomGrayscale,
    RandomResizedCrop,
    RandomSolarize,
    Resize,
    SaliencyMask,
)
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor
from mochi_mm.randomness import SampleKey

KINDS = [(1, 8), (2, 8), (4, 8), (7, 8), (4, 16), (1, 16)]
SAME_AS_PIL: list[Any] = [
    Resize(31),
    Resize((40, 20), 'bicubic'),
    Resize(70, 'lanczos'),
    Resize(13, 'box'),
    CenterCrop((30, 41)),
    RandomCrop(32, padding=4, fill=7),
    RandomResizedCrop(24),
    RandomResizedCrop((24, 60), interpolation='bicubic'),
    RandomFlip(1.0),
    RandomFlip(0.5),
    GaussianBlur(prob=1.0),
    GaussianBlur((3.0, 3.0), prob=1.0),
    RandomSolarize(1.0, 100),
    RandomErasing(1.0, fill=9),
    Cutout(20, fill=3),
]


def levels(channels: int, bits: int, seed: int = 0) -> np.ndarray:
    """Smooth levels with texture, (61, 90, channels)."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (5, 7, channels))
    image = ChannelImage(coarse.astype(np.float32)).resized((61, 90), 'BICUBIC').pixels
    image = np.clip(image + rng.normal(0, 5, image.shape), 0, 255).astype(np.float32)
    return image if bits == 16 else image.round().astype(np.uint8)


def apply(transform: Any, image: Any, seed: int) -> Any:
    return transform(dict(img=image, rng=np.random.default_rng(seed)))['img']


@pytest.mark.parametrize('transform', SAME_AS_PIL, ids=repr)
def test_three_channels_are_those_of_pil(transform: Any, picture: Image.Image) -> None:
    for seed in range(4):
        expected = np.asarray(apply(transform, picture, seed))
        made = apply(transform, ChannelImage(np.array(picture)), seed)
        np.testing.assert_array_equal(np.asarray(made), expected)


@pytest.mark.parametrize(('channels', 'bits'), KINDS)
@pytest.mark.parametrize('transform', SAME_AS_PIL, ids=repr)
def test_each_channel_by_itself(transform: Any, channels: int, bits: int) -> None:
    """The same box, mirror and blur in all channels; floats as near as rounding lets compare."""
    pixels = levels(channels, bits)
    made = np.asarray(apply(transform, ChannelImage(pixels), 5))
    assert made.dtype == pixels.dtype and made.shape[2] == channels
    assert made.min() >= 0 and made.max() <= 255
    for c in range(channels):
        one = np.asarray(apply(transform, ChannelImage(pixels[..., [c]]), 5))
        np.testing.assert_allclose(made[..., [c]], one, rtol=0, atol=0 if bits == 8 else 1e-4)
    if bits == 16:
        rounded = apply(transform, ChannelImage(pixels.round().astype(np.uint8)), 5)
        # PIL rounds after rows and columns each; its blur is made of boxes and differs from the
        # Gaussian; a level beside 100 turns over.
        blur, turn = isinstance(transform, GaussianBlur), isinstance(transform, RandomSolarize)
        far = np.abs(made - np.asarray(rounded, np.float32)) > (4 if blur else 2)
        assert far.mean() <= (0.02 if turn else 0)


def test_blur_of_floats_is_the_gaussian() -> None:
    """Against a slow sum over all pixels, edges repeated; far more channels than OpenCV names."""
    sigma, pixels = 1.3, levels(1, 16)[:9, :8, 0].astype(np.float64)
    offsets = np.arange(-6, 7)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    expected = np.zeros_like(pixels)
    for y in range(9):
        for x in range(8):
            for dy, wy in zip(offsets, kernel, strict=True):
                for dx, wx in zip(offsets, kernel, strict=True):
                    near = pixels[min(max(y + dy, 0), 8), min(max(x + dx, 0), 7)]
                    expected[y, x] += wy * wx * near
    image = ChannelImage(np.repeat(pixels[..., None].astype(np.float32), 200, 2))
    made = image.blurred(sigma).pixels
    np.testing.assert_allclose(made[..., 0], expected, atol=2e-4)
    np.testing.assert_allclose(made, made[..., :1].repeat(200, 2), atol=1e-4)


def slow_jitter(pixels: np.ndarray, plan: list[Any]) -> np.ndarray:
    """Every level by itself, in float64, nothing clipped but the end."""
    result = pixels.astype(np.float64)
    for name, factors in plan:
        for c, factor in enumerate(factors):
            mean = result[..., c].mean()
            for y in range(pixels.shape[0]):
                for x in range(pixels.shape[1]):
                    level = result[y, x, c]
                    bright = name == 'channel_brightness'
                    level = factor * level if bright else factor * level + (1 - factor) * mean
                    result[y, x, c] = level
    return np.clip(result, 0, 255)


@pytest.mark.parametrize(('channels', 'bits'), KINDS)
def test_channel_jitter(channels: int, bits: int) -> None:
    pixels = levels(channels, bits)[:12, :10]
    jitter = ChannelJitter(brightness=0.4, contrast=(0.2, 1.5), prob=1.0)
    made = np.asarray(apply(jitter, ChannelImage(pixels), 3))
    rng = np.random.default_rng(3)
    rng.random()  # whether it is changed at all
    plan = jitter.draw(rng, channels)
    factors = np.array([f for _, f in plan])
    assert factors.shape == (2, channels) and len(np.unique(factors)) == 2 * channels
    assert (factors[0] >= 0.6).all() and (factors[0] <= 1.4).all()
    expected = slow_jitter(pixels, plan)
    if bits == 8:
        np.testing.assert_array_equal(made, expected.round())
    else:
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-3)


def test_channel_jitter_of_a_photograph(picture: Image.Image) -> None:
    jitter = ChannelJitter(brightness=0.4, contrast=0.4, prob=1.0)
    made = apply(jitter, picture, 1)
    assert made.mode == 'RGB'
    bands = apply(jitter, ChannelImage(np.array(picture)), 1)
    np.testing.assert_array_equal(np.asarray(made), np.asarray(bands))
    assert apply(ChannelJitter(brightness=0.4, prob=0.0), picture, 1) is picture
    for wrong in (dict(brightness=-1), dict(contrast=(2, 1)), dict(prob=1.5)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ChannelJitter(**wrong)


def test_colors_of_three_channels_of_16_bits(picture: Image.Image) -> None:
    """RGB keeps its colors' transforms: within rounding and clipping of those on 8 bits."""
    wide = ChannelImage(np.array(picture, np.float32))
    for transform in (ColorJitter(0.3, 0.3, 0.3, prob=1.0), RandomGrayscale(1.0)):
        expected = np.asarray(apply(transform, picture, 2)).astype(float)
        made = np.asarray(apply(transform, wide, 2))
        assert made.dtype == np.float32
        assert np.abs(made - expected).mean() < 1.5


def test_noise_of_erasing_is_that_of_the_channel() -> None:
    pixels = np.stack([np.full((64, 64), 20), np.full((64, 64), 200)], -1).astype(np.float32)
    pixels[::2] += 8
    erase = RandomErasing(1.0, area=(0.3, 0.3), ratio=(1, 1))
    made = np.asarray(apply(erase, ChannelImage(pixels), 0))
    changed = (made != pixels).all(2)
    assert changed.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_allclose(made[changed].mean(0), [24, 204], atol=0.5)
    np.testing.assert_allclose(made[changed].std(0), [4, 4], atol=0.3)


@pytest.mark.parametrize(
    'transform', [ColorJitter(0.4), RandomGrayscale(), AutoAugment(), RandAugment()], ids=repr
)
def test_refused(transform: Any) -> None:
    name = type(transform).__name__
    with pytest.raises(ValueError, match=rf'{name} .* 4 channels.*ChannelJitter'):
        apply(transform, ChannelImage(levels(4, 8)), 0)


def test_further_mistakes() -> None:
    mask = dict(mask=np.zeros((61, 90), bool), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match='SaliencyMask knows 8-bit RGB images alone'):
        SaliencyMask(1.0)(dict(mask, img=ChannelImage(levels(2, 8))))
    with pytest.raises(ValueError, match='a smaller image, .61, 90.'):
        apply(CenterCrop(100), ChannelImage(levels(2, 8)), 0)
    for pixels in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 2)), np.zeros((0, 4, 2), np.uint8)):
        with pytest.raises(ValueError, match='pixels are .*expected .H, W, C., uint8 or float32'):
            ChannelImage(pixels)


VIEW = [
    dict(type='RandomResizedCrop', size=24, scale=(0.3, 1.0)),
    dict(type='ChannelJitter', brightness=0.4, contrast=0.4, prob=0.8),
    dict(type='GaussianBlur', sigma=(0.5, 2.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]


def finished(kind: str, source: Any, preprocessor: ViewDataPreprocessor) -> torch.Tensor:
    """Both views of six images as the network would see them, (12, C, 24, 24)."""
    views = dict(type=kind, transforms=[VIEW], num_views=[2])
    held = kind == 'HeldMultiView'
    pipeline = [views, dict(type='PackInputs')]
    data = InMemory(source, pipeline)
    if held:
        preprocessor.hold(data.pixels)
    batch = default_collate([data[SampleKey(i, 1, 2)] for i in range(6)])
    wanted = torch.int64 if held else torch.float32 if source.bits > 8 else torch.uint8
    assert batch['inputs'][0].dtype == wanted
    return torch.cat(preprocessor(batch)['inputs'])


@pytest.mark.parametrize(('channels', 'bits'), KINDS)
def test_all_recipes_make_the_same_views(channels: int, bits: int) -> None:
    """The same draws; means of the levels differ by rounding, PIL's blur and where they clip."""
    scenes = ChannelShapeScenes(channels, bits, num_scenes=6, image_size=40)
    plain = ViewDataPreprocessor([0.0] * channels, [1.0] * channels)
    exact = finished('MultiView', scenes, plain)
    assert exact.shape == (12, channels, 24, 24)
    for kind in ('FastMultiView', 'DeviceMultiView', 'HeldMultiView'):
        made = finished(kind, scenes, plain)
        assert (made - exact).abs().mean((1, 2, 3)).max() < 1.2, kind
        assert (made - exact).abs().mean() < 0.5, kind
    other = finished('FastMultiView', scenes, plain).flip(0)
    assert (other - exact).abs().mean() > 10  # what the bounds are to be compared with
    whole = (exact == exact.round()).all()
    assert bool(whole) == (bits == 8)


def test_mixing_of_channels() -> None:
    rng = np.random.default_rng(0)
    pixels, a, c = levels(5, 16)[:6, :4], rng.normal(size=(5, 5)) / 3, rng.normal(size=(5, 5)) / 9
    made = mix_channels(pixels, a, c)
    mean = pixels.astype(np.float64).mean((0, 1))
    for y in range(6):
        for x in range(4):
            expected = np.clip(a @ pixels[y, x].astype(np.float64) + c @ mean, 0, 255)
            np.testing.assert_allclose(made[y, x], expected, atol=1e-3)
    single = gaussian(pixels[..., :1], 1.0)
    np.testing.assert_allclose(single, gaussian(pixels, 1.0)[..., :1], atol=1e-4)


def test_what_leaves_the_pipeline() -> None:
    pixels = levels(4, 16)
    sample = dict(img=ChannelImage(pixels[:, ::-1]), gt_label=1, sample_idx=2)
    (tensor,) = PackInputs()(sample)['inputs']
    assert tensor.dtype == torch.float32 and tensor.is_contiguous()
    np.testing.assert_array_equal(tensor.numpy(), np.moveaxis(pixels[:, ::-1], 2, 0))


def test_statistics_of_other_channels() -> None:
    batch = dict(inputs=[torch.zeros(2, 4, 8, 8)], data_samples={})
    with pytest.raises(ValueError, match=r'views have 4 channels, but mean and std .* 3 numbers'):
        ViewDataPreprocessor()(batch)
    with pytest.raises(ValueError, match='one number of each for every channel'):
        ViewDataPreprocessor(mean=[1.0] * 4, std=[1.0] * 3)
    made = ViewDataPreprocessor([1.0, 2.0, 3.0, 4.0], [2.0] * 4)(batch)['inputs'][0]
    assert made[0, :, 0, 0].tolist() == [-0.5, -1.0, -1.5, -2.0]
