"""Image pairs a second and core: from files to two augmented views, by several recipes.

python tools/benchmarks/pipeline.py FOLDER [--images 100] [--size 224] [--workers 0] [--json OUT]

Measures, in turns on the same files: JPEG decoding alone, which bounds them all; MoCo-v2's recipe
as torchvision's PIL classes do it; this project's exact recipe (MultiView), fast recipe
(FastMultiView), and the part of the device recipe that the CPU does (DeviceMultiView). Without
workers, seconds of one core are counted (CPU time, so that other programs disturb little). With
workers, whole loaders are timed by the clock, and the rate is divided by the number of workers.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.utils.data import DataLoader
from torchvision import transforms as tv

from mochi_mm.datasets import ImageFolder
from mochi_mm.utils.benchmark import machine, write_json
from mochi_mm.utils.keyed_random import SampleKey

RECIPES = dict(exact='MultiView', fast='FastMultiView', device='DeviceMultiView')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder')
    parser.add_argument('--images', type=int, default=100, help='files used, evenly spaced')
    parser.add_argument('--size', type=int, default=224, help='pixels of a view')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--workers', type=int, default=0)
    parser.add_argument('--json', metavar='OUT')
    args = parser.parse_args(argv)
    if min(args.images, args.size, args.repeats) < 1 or args.workers < 0:
        raise ValueError('--images, --size and --repeats must be at least 1, --workers at least 0.')
    return args


def view_pipeline(size: int) -> list[dict[str, Any]]:
    """Return MoCo-v2's view, as the configs write it."""
    return [
        dict(type='RandomResizedCrop', size=size, scale=(0.2, 1.0)),
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
        dict(type='RandomGrayscale', prob=0.2),
        dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
        dict(type='RandomFlip', prob=0.5),
    ]


def our_recipe(folder: str, kind: str, size: int) -> ImageFolder:
    """Return the files of ``folder`` with one of our recipes; the word ``kind`` chooses it."""
    views = dict(type=kind, transforms=[view_pipeline(size)], num_views=[2])
    return ImageFolder(folder, classes=[], pipeline=[views, dict(type='PackInputs')])


class PillowBlur:
    """The blur of the authors' MoCo-v2 code."""

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image blurred by a random radius."""
        sigma = float(torch.empty(()).uniform_(0.1, 2.0))
        return image.filter(ImageFilter.GaussianBlur(radius=sigma))


class TorchvisionPairs:
    """MoCo-v2's recipe from torchvision's classes on PIL images."""

    def __init__(self, source: ImageFolder, size: int) -> None:
        self.source = source
        jitter = tv.ColorJitter(0.4, 0.4, 0.4, 0.1)
        self.view = tv.Compose(
            [
                tv.RandomResizedCrop(size, scale=(0.2, 1.0)),
                tv.RandomApply([jitter], p=0.8),
                tv.RandomGrayscale(p=0.2),
                tv.RandomApply([PillowBlur()], p=0.5),
                tv.RandomHorizontalFlip(),
                tv.PILToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        image = Image.open(self.source.path(int(index))).convert('RGB')
        return [self.view(image), self.view(image)]


class DecodeOnly:
    """Every file decoded in full, and nothing else."""

    def __init__(self, source: ImageFolder) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> int:
        with open(self.source.path(int(index)), 'rb') as file:
            data = np.frombuffer(file.read(), np.uint8)
        pixels: Any = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
        return pixels.shape[1]


def one_pass(dataset: Any, indices: list[int], workers: int, epoch: int) -> float:
    """Return the seconds that all ``indices`` take, in this process or in the loader's workers."""
    keys = [SampleKey(index, 0, epoch) for index in indices]
    if workers == 0:
        start = time.process_time()
        for key in keys:
            dataset[key]
        return time.process_time() - start
    loader = DataLoader(dataset, batch_size=8, sampler=keys, num_workers=workers)
    batches = iter(loader)
    next(batches)  # the workers have started
    start = time.perf_counter()
    seen = sum(1 for _ in batches)
    return (time.perf_counter() - start) * len(keys) / max(1, 8 * seen)


def main(argv: list[str] | None = None) -> None:
    """Measure, print, write."""
    args = parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    files = our_recipe(args.folder, 'MultiView', args.size)
    recipes: dict[str, Any] = {
        'decode': DecodeOnly(files),
        'torchvision PIL': TorchvisionPairs(files, args.size),
    }
    recipes |= {name: our_recipe(args.folder, kind, args.size) for name, kind in RECIPES.items()}
    step = max(1, len(files) // args.images)
    indices = list(range(0, len(files), step))[: args.images]
    times: dict[str, list[float]] = {name: [] for name in recipes}
    for turn in range(args.repeats + 1):
        for name, dataset in recipes.items():
            elapsed = one_pass(dataset, indices, args.workers, turn)
            if turn:
                times[name].append(elapsed)
    report(args, times, len(indices))


def report(args: argparse.Namespace, times: dict[str, list[float]], count: int) -> None:
    """Print pairs a second and core, and their ratio to torchvision's."""
    cores = max(1, args.workers)
    measured = {
        name: dict(best=count / min(t) / cores, median=count / median(t) / cores)
        for name, t in times.items()
    }
    base = measured['torchvision PIL']
    print(f'{"recipe":18} {"pairs/s/core":>12} {"median":>8} {"x torchvision":>14}')
    for name, row in measured.items():
        row['ratio'] = row['best'] / base['best']
        row['ratio_of_medians'] = row['median'] / base['median']
        print(
            f'{name:18} {row["best"]:12.1f} {row["median"]:8.1f} {row["ratio"]:8.2f} '
            f'({row["ratio_of_medians"]:.2f})'
        )
    result = dict(machine=machine(), command=vars(args), images=count, measured=measured)
    print(result['machine'])
    write_json(args.json, result)


if __name__ == '__main__':
    main()
