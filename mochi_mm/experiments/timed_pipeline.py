"""Recipes for two views of an image, one beside the other, and the time they take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader
from torchvision import transforms as tv

from mochi_mm.datasets import ImageFolder, PackedImages
from mochi_mm.files.image_file import open_image
from mochi_mm.randomness import SampleKey

BATCH = 8  # of a loader
KINDS = dict(exact='MultiView', fast='FastMultiView', device='DeviceMultiView')


def view_pipeline(size: int, blur: bool = True) -> list[dict[str, Any]]:
    """Return MoCo-v2's view, as the configs write it; without blur as for small images."""
    views: list[dict[str, Any]] = [
        dict(type='RandomResizedCrop', size=size, scale=(0.2, 1.0)),
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
        dict(type='RandomGrayscale', prob=0.2),
        dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
        dict(type='RandomFlip', prob=0.5),
    ]
    return [view for view in views if blur or view['type'] != 'GaussianBlur']


def our_recipe(
    folder: str, kind: str, size: int, packed: bool = False
) -> ImageFolder | PackedImages:
    """Return the images of a folder, or of a pack, with one of our recipes, named ``kind``."""
    views = dict(type=kind, transforms=[view_pipeline(size)], num_views=[2])
    source = PackedImages if packed else ImageFolder
    return source(folder, classes=[], pipeline=[views, dict(type='PackInputs')])


class PillowBlur:
    """The blur of the authors' MoCo-v2 code."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image blurred by a random radius."""
        sigma = float(torch.empty(()).uniform_(0.1, 2.0))
        return image.filter(ImageFilter.GaussianBlur(radius=sigma))


def torchvision_view(size: int, blur: bool = True) -> tv.Compose:
    """Return MoCo-v2's view from torchvision's classes on PIL images, as (3, H, W) uint8."""
    jitter = tv.ColorJitter(0.4, 0.4, 0.4, 0.1)
    steps = [
        tv.RandomResizedCrop(size, scale=(0.2, 1.0)),
        tv.RandomApply([jitter], p=0.8),
        tv.RandomGrayscale(p=0.2),
        *([tv.RandomApply([PillowBlur()], p=0.5)] if blur else []),
        tv.RandomHorizontalFlip(),
        tv.PILToTensor(),
    ]
    return tv.Compose(steps)


class TorchvisionPairs:
    """MoCo-v2's recipe from torchvision's classes on the files of a folder."""

    def __init__(self, source: Any, size: int) -> None:
        self.source, self.view = source, torchvision_view(size)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        with open_image(self.source.path(int(index))) as opened:
            image = opened.convert('RGB')
        return [self.view(image), self.view(image)]


class DecodeOnly:
    """Every file decoded in full, and nothing else."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> int:
        with open(self.source.path(int(index)), 'rb') as file:
            data = np.frombuffer(file.read(), np.uint8)
        pixels: Any = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        return pixels.shape[1]


def recipes(folder: str, size: int, packs: Sequence[str] = ()) -> dict[str, Any]:
    """Return a data set of the files of ``folder`` for each recipe, and for decoding alone.

    Args:
        folder: The files.
        size: Pixels of a view.
        packs: Packs of the same folder; each gives our recipes once more, under its name.

    Raises:
        ValueError: A pack of other images, or two of one name.
    """
    files = our_recipe(folder, 'MultiView', size)
    found = {'decode': DecodeOnly(files), 'torchvision PIL': TorchvisionPairs(files, size)}
    found |= {name: our_recipe(folder, kind, size) for name, kind in KINDS.items()}
    for pack in packs:
        ours = {
            f'{name}, {Path(pack).name}': our_recipe(pack, kind, size, packed=True)
            for name, kind in KINDS.items()
        }
        held = next(iter(ours.values()))
        names = ([data.name(i) for i in range(len(data))] for data in (files, held))
        if next(names) != next(names) or not ours.keys().isdisjoint(found):
            raise ValueError(
                f'{pack} holds other images than {folder}, or has the name of another pack; '
                'expected a pack of that folder.'
            )
        found |= ours
    return found


def view_differences(datasets: Mapping[str, Any], indices: Sequence[int]) -> dict[str, float]:
    """Return how far views are from the exact recipe's on the files, in gray levels of 255.

    The mean absolute difference over pixels, channels and the two views of each image, drawn with
    the same keys. What is finished on the device has no views to compare here.

    Args:
        datasets: As :func:`recipes` returns them.
        indices: Images that are compared.
    """
    exact = datasets['exact']
    found = {}
    for name, dataset in datasets.items():
        if not name.startswith(('exact', 'fast')):
            continue
        pairs = ((exact[key]['inputs'], dataset[key]['inputs']) for key in _keys(indices, 0))
        levels = [
            float((one.float() - other.float()).abs().mean())
            for views in pairs
            for one, other in zip(*views, strict=True)
        ]
        found[name] = sum(levels) / len(levels)
    return found


def _keys(indices: Sequence[int], epoch: int) -> list[SampleKey]:
    return [SampleKey(index, 0, epoch) for index in indices]


def one_pass(dataset: Any, indices: list[int], workers: int, epoch: int) -> float:
    """Return the seconds that all ``indices`` take, in this process or in the loader's workers.

    Of this process the processor's seconds, of workers those of the clock, from an idle start of
    workers that have already served once.
    """
    keys = _keys(indices, epoch)
    if workers == 0:
        start = time.process_time()
        for key in keys:
            dataset[key]
        return time.process_time() - start
    sampled = keys[: BATCH * workers]
    loader = DataLoader(
        dataset, batch_size=BATCH, sampler=sampled, num_workers=workers, persistent_workers=True
    )
    for _ in loader:
        pass
    sampled[:] = keys
    start = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - start
