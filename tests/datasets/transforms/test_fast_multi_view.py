"""The fast and the device recipe against torchvision's operations at the same parameters.

The pictures are smooth and textured scenes saved as JPEG; ``docs/numerics.md`` has the differences
on photographs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as F

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.transforms import DeviceMultiView, FastMultiView, MultiView
from mochi_mm.datasets.transforms.color_affine import color_affine
from mochi_mm.datasets.transforms.fast_multi_view import finish
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.datasets.transforms.view_plan import ViewPlan
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor
from mochi_mm.randomness import SampleKey

VIEW = [
    dict(type='RandomResizedCrop', size=64, scale=(0.2, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]


def picture(seed: int = 0, width: int = 150, height: int = 110) -> Image.Image:
    """Smooth colors with texture, mostly dull and neither black nor white, as in photographs."""
    rng = np.random.default_rng(seed)
    bright = rng.integers(40, 200, (6, 8, 3)).astype(float)
    gray = bright.mean(2, keepdims=True)
    coarse = Image.fromarray((gray + 0.35 * (bright - gray)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    noisy = smooth + rng.normal(0, 8, (height, width, 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('pictures')
    for seed in range(6):
        picture(seed).save(root / f'{seed}.jpg', quality=92)
    return root


def data_set(folder: Path, kind: str, view: list[dict[str, Any]] = VIEW) -> ImageFolder:
    views = dict(type=kind, transforms=[view], num_views=[2])
    return ImageFolder(folder, pipeline=[views, dict(type='PackInputs')])


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean difference in gray levels."""
    return float((a.float() - b.float()).abs().mean())


def test_same_draws_and_nearly_the_same_pixels(folder: Path) -> None:
    exact, fast = data_set(folder, 'MultiView'), data_set(folder, 'FastMultiView')
    differences = []
    for index in range(6):
        key = SampleKey(index, 1, 2)
        for a, b in zip(exact[key]['inputs'], fast[key]['inputs'], strict=True):
            assert b.dtype == torch.uint8 and b.shape == (3, 64, 64) and b.is_contiguous()
            differences.append(difference(a, b))
    assert np.mean(differences) < 3
    # With the parameters of another sample it would be another picture.
    other = fast[SampleKey(0, 1, 3)]['inputs'][0]
    assert difference(other, fast[SampleKey(0, 1, 2)]['inputs'][0]) > 10


def test_photographs_at_the_same_parameters(tmp_path: Path) -> None:
    """Two photographs that come with scikit-learn; ``docs/numerics.md`` has the mean over more."""
    samples = pytest.importorskip('sklearn.datasets', reason='scikit-learn brings the photographs')
    for number, pixels in enumerate(samples.load_sample_images().images):
        Image.fromarray(pixels).save(tmp_path / f'{number}.jpg', quality=92)
    view = [dict(VIEW[0], size=224), *VIEW[1:]]
    exact, fast = data_set(tmp_path, 'MultiView', view), data_set(tmp_path, 'FastMultiView', view)
    found = [
        difference(a, b)
        for key in (SampleKey(index, 0, epoch) for index in range(2) for epoch in range(5))
        for a, b in zip(exact[key]['inputs'], fast[key]['inputs'], strict=True)
    ]
    assert len(found) == 20 and np.mean(found) < 4.5


def test_crops_are_those_of_pil_to_one_gray_level(folder: Path) -> None:
    crop = [VIEW[0], VIEW[4]]
    exact, fast = data_set(folder, 'MultiView', crop), data_set(folder, 'FastMultiView', crop)
    for index in range(6):
        for a, b in zip(exact[index]['inputs'], fast[index]['inputs'], strict=True):
            assert int((a.int() - b.int()).abs().max()) <= 2
            assert difference(a, b) < 0.3


def test_device_recipe_equals_the_fast_one(folder: Path) -> None:
    fast, device = data_set(folder, 'FastMultiView'), data_set(folder, 'DeviceMultiView')
    batch = torch.utils.data.default_collate([device[SampleKey(i)] for i in range(6)])
    assert batch['data_samples']['view_parameters'].of_pixel.shape == (6, 2, 3, 3)
    done = ViewDataPreprocessor(mean=(0, 0, 0), std=(1, 1, 1))(batch)
    assert set(done['data_samples']) == {'gt_label', 'sample_idx'}
    for i in range(6):
        for view, expected in zip(done['inputs'], fast[SampleKey(i)]['inputs'], strict=True):
            assert view.dtype == torch.float32
            assert difference(view[i], expected) < 0.8  # rounding between the operations


@pytest.mark.parametrize(
    ('name', 'factor', 'most'),
    [
        ('brightness', 0.6, 0.6),
        ('brightness', 1.3, 0.8),
        ('contrast', 0.6, 0.8),
        ('contrast', 1.4, 1.0),
        ('saturation', 0.6, 0.8),
        ('saturation', 1.4, 1.0),
        ('hue', 0.1, 4.0),
        ('hue', -0.1, 4.0),
    ],
)
def test_color_operations(name: str, factor: float, most: float) -> None:
    image = picture(3)
    expected = F.pil_to_tensor(getattr(F, f'adjust_{name}')(image, factor))
    plan = ViewPlan((0, 0, 1, 1), [(name, factor)], False, 0.0, False)
    assert difference(finish(np.array(image), plan), expected) < most
    unchanged = F.pil_to_tensor(image)
    assert difference(unchanged, expected) > 1.2 * difference(
        finish(np.array(image), plan), expected
    )


def test_chains_are_the_operations_one_by_one() -> None:
    """Without clipping or rounding, a chain is exactly its links."""
    image = np.random.default_rng(0).random((5, 7, 3)) * 100
    chain = [('contrast', 0.7), ('saturation', 1.3), ('hue', 0.05), ('brightness', 0.8)]
    of_pixel, of_mean = color_affine([*chain, ('contrast', 1.2)], gray=True)
    got = image @ of_pixel.T + of_mean @ image.mean((0, 1))
    for link in [*chain, ('contrast', 1.2)]:
        a, c = color_affine([link])
        image = image @ a.T + c @ image.mean((0, 1))
    gray = image @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(got, np.repeat(gray[..., None], 3, 2), rtol=1e-12)


@pytest.mark.parametrize('sigma', [0.1, 0.7, 2.0])
def test_blur_is_near_pils(sigma: float) -> None:
    from PIL import ImageFilter

    image = picture(1)
    expected = F.pil_to_tensor(image.filter(ImageFilter.GaussianBlur(sigma)))
    plan = ViewPlan((0, 0, 1, 1), [], False, sigma, True)
    assert difference(finish(np.array(image), plan).flip(2), expected) < 1.0


@pytest.mark.parametrize('sigma', [0.1, 0.9, 2.0])
def test_blur_is_the_gaussian(sigma: float) -> None:
    """Row by row and column by column in float64, edges repeated."""
    pixels = np.array(picture(1, 20, 15))
    reach = int(np.ceil(2.5 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    expected = pixels.astype(np.float64)
    for axis in (0, 1):
        last, blurred = expected.shape[axis] - 1, np.zeros_like(expected)
        for step, weight in zip(range(-reach, reach + 1), weights / weights.sum(), strict=True):
            near = np.clip(np.arange(last + 1) + step, 0, last)
            blurred += weight * expected.take(near, axis)
        expected = blurred
    got = finish(pixels, ViewPlan((0, 0, 1, 1), [], False, sigma, False)).permute(1, 2, 0).numpy()
    assert np.abs(got - expected).max() < 1.1
    assert abs((got - expected).mean()) < 0.05


@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_the_decoder_gives_the_pixels_of_pil(tmp_path: Path, mode: str) -> None:
    picture(4, 61, 43).convert(mode).save(tmp_path / 'a.jpg', quality=90)
    got = SourceImage.open(tmp_path / 'a.jpg').crops([(0, 0, 43, 61)], [(43, 61)])[0]
    with Image.open(tmp_path / 'a.jpg') as image:
        np.testing.assert_array_equal(got, np.array(image.convert('RGB')))


def test_data_that_cannot_be_decoded(tmp_path: Path) -> None:
    picture(0, 40, 30).save(tmp_path / 'a.jpg')
    data = bytearray((tmp_path / 'a.jpg').read_bytes())
    data[data.index(b'\xff\xc0') + 12] = 3  # a quantization table that the file does not have
    (tmp_path / 'a.jpg').write_bytes(data)
    with pytest.raises(UnreadableImage, match=r'a\.jpg'):
        SourceImage.open(tmp_path / 'a.jpg').crops([(0, 0, 30, 40)], [(20, 20)])


def test_large_files_are_decoded_small(tmp_path: Path) -> None:
    picture(2, 900, 700).save(tmp_path / 'large.jpg', quality=95)
    box, size = (100, 200, 400, 480), (64, 64)
    fast = SourceImage.open(tmp_path / 'large.jpg').crops([box], [size])[0]
    with Image.open(tmp_path / 'large.jpg') as image:
        expected = F.resized_crop(image.convert('RGB'), *box, size)
    assert difference(torch.from_numpy(fast), torch.from_numpy(np.array(expected))) < 1.5


def test_other_kinds_of_files(tmp_path: Path) -> None:
    turned = picture(0, 40, 30)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / 'turned.jpg', exif=exif)
    picture(0, 40, 30).convert('L').save(tmp_path / 'gray.jpg')
    picture(0, 40, 30).save(tmp_path / 'plain.png')
    for name, size in (('turned.jpg', (30, 40)), ('gray.jpg', (40, 30)), ('plain.png', (40, 30))):
        source = SourceImage.open(tmp_path / name)
        assert (source.width, source.height) == size
        cut = source.crops([(0, 0, size[1], size[0])], [(20, 20)])[0]
        assert cut.shape == (20, 20, 3) and cut.dtype == np.uint8
    picture(0, 200, 300).save(tmp_path / 'whole.jpg')
    whole = (tmp_path / 'whole.jpg').read_bytes()
    for kept in (200, len(whole) // 2):
        (tmp_path / 'torn.jpg').write_bytes(whole[:kept])
        with pytest.raises(ValueError, match=r'torn\.jpg'):
            SourceImage.open(tmp_path / 'torn.jpg').crops([(0, 0, 30, 40)], [(20, 20)])


def test_recipes_that_it_cannot_do_are_refused() -> None:
    for view in ([VIEW[4]], [VIEW[0], VIEW[2], VIEW[1]], [VIEW[0], dict(type='Resize', size=8)]):
        with pytest.raises(ValueError, match='the fast recipes know RandomResizedCrop'):
            FastMultiView([view], [2])
    with pytest.raises(ValueError, match='resize bilinearly'):
        DeviceMultiView([[dict(VIEW[0], interpolation='bicubic')]], 2)
    assert isinstance(FastMultiView([VIEW], [2]), MultiView)
