"""Recipes for two views of a small image held in memory: ours, and those of other libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torchvision
from PIL import Image

from mochi_mm.datasets import ImageFolder, InMemory
from mochi_mm.experiments.timed_pipeline import KINDS, torchvision_view, view_pipeline

#: What the others are called in their own words, and the package that has to be installed.
OTHERS = dict(lightly='lightly', mmpretrain='onedl-mmpretrain')


class HeldPairs:
    """Two views of images in memory, made by another library.

    Args:
        pixels: (N, H, W, 3) uint8.
        make: Returns both views of an image (H, W, 3).
    """

    def __init__(self, pixels: np.ndarray, make: Callable[[np.ndarray], Any]) -> None:
        self.pixels, self.make = pixels, make

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Any:
        return self.make(self.pixels[int(index)])


def small_recipes(folder: str, size: int, blur: bool) -> tuple[dict[str, Any], list[str]]:
    """Return a data set of the images of ``folder``, held in memory, for each recipe.

    All draw MoCo-v2's view with the same ranges and probabilities, and none normalizes: ours,
    torchvision's classes on PIL images, lightly's and mmpretrain's own transforms.

    Args:
        folder: Images of one size.
        size: Pixels of a view.
        blur: Whether views are blurred; recipes for CIFAR leave it out.

    Returns:
        The data sets by name and version, and the names of packages that are not installed.
    """
    views = view_pipeline(size, blur)
    pipeline = [
        [dict(type=kind, transforms=[views], num_views=[2]), dict(type='PackInputs')]
        for kind in KINDS.values()
    ]
    source = ImageFolder(folder, classes=[])
    ours = [InMemory(source, pipeline=each) for each in pipeline]
    pixels = ours[0].pixels.numpy()
    found: dict[str, Any] = {
        'torchvision PIL': HeldPairs(pixels, _torchvision(size, blur)),
        **dict(zip(KINDS, ours, strict=True)),
    }
    absent = []
    for name, maker in dict(lightly=_lightly, mmpretrain=_mmpretrain).items():
        try:
            version, make = maker(size, blur)
        except ModuleNotFoundError:
            absent.append(OTHERS[name])
            continue
        found[f'{name} {version}'] = HeldPairs(pixels, make)
    return found, absent


def versions() -> dict[str, str]:
    """Return the versions of what decodes and resizes in torchvision's recipe."""
    return dict(torchvision=torchvision.__version__, pillow=Image.__version__)


def _torchvision(size: int, blur: bool) -> Callable[[np.ndarray], Any]:
    view = torchvision_view(size, blur)

    def make(pixels: np.ndarray) -> Any:
        image = Image.fromarray(pixels)
        return [view(image), view(image)]

    return make


def _lightly(size: int, blur: bool) -> tuple[str, Callable[[np.ndarray], Any]]:
    import lightly
    from lightly.transforms import MoCoV2Transform

    probability = 0.5 if blur else 0.0
    views = MoCoV2Transform(size, cj_hue=0.1, gaussian_blur=probability, normalize=None)
    return lightly.__version__, lambda pixels: views(Image.fromarray(pixels))


def _mmpretrain(size: int, blur: bool) -> tuple[str, Callable[[np.ndarray], Any]]:
    """Return the views of ``configs/_base_/datasets/imagenet_bs32_mocov2.py``."""
    import mmpretrain
    import mmpretrain.datasets.transforms  # registers them
    from mmengine.registry import DefaultScope
    from mmpretrain.registry import TRANSFORMS

    jitter = dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    luma = (0.114, 0.587, 0.2989)
    spread = dict(magnitude_range=(0.1, 2.0), magnitude_std='inf', prob=0.5)
    view = [
        dict(type='RandomResizedCrop', scale=size, crop_ratio_range=(0.2, 1.0), backend='pillow'),
        dict(type='RandomApply', transforms=[jitter], prob=0.8),
        dict(type='RandomGrayscale', prob=0.2, keep_channels=True, channel_weights=luma),
        *([dict(type='GaussianBlur', **spread)] if blur else []),
        dict(type='RandomFlip', prob=0.5),
    ]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        views = TRANSFORMS.build(dict(type='MultiView', num_views=2, transforms=[view]))
        pack = TRANSFORMS.build(dict(type='PackInputs'))

    def make(pixels: np.ndarray) -> Any:
        # OpenCV's order of colors, as its data sets give them; here the colors are of no account.
        shape = pixels.shape[:2]
        return pack(views(dict(img=pixels, img_shape=shape, ori_shape=shape, gt_label=0)))

    return mmpretrain.__version__, make
