"""Plant near-duplicates among the images of a folder and count how many are found.

    python tools/benchmarks/planted_duplicates.py FOLDER [--images 5000] [--planted 50] [--seed 0]

Images are drawn; near-duplicates that they hold already are counted and left out; copies of some
are planted (compressed again, another size, cropped by up to a sixteenth a side, 25 % brighter or
darker, all of it), and the search is repeated. Prints recall, precision, seconds and memory.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

KINDS = ('compressed', 'resized', 'cropped', 'brightness', 'all')
# Drawn beyond what is asked for, since near-duplicates among them are left out.
_SPARE = 1.1


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser, seed

    parser = ToolParser(description=__doc__)
    parser.add_argument('folder', help='images at any depth below it')
    parser.add_argument('--images', type=int, default=5000, help='the planted included (5000)')
    parser.add_argument('--planted', type=int, default=50, help='copies (50)')
    parser.add_argument('--seed', type=seed, default=0, help='of drawing and planting (0)')
    args = parser.parse_args(argv)
    if not 0 < 2 * args.planted <= args.images:
        parser.error(f'--planted is {args.planted}; expected 1 to half of --images')
    return args


def plant(image: Image.Image, kind: str, rng: np.random.Generator) -> Image.Image:
    """Return a near-duplicate of an image, one of :data:`KINDS`."""
    size = image.size
    if kind in ('resized', 'all'):
        scale = float(rng.choice([0.875, 0.9375, 1.125, 1.25]))
        image = image.resize(tuple(round(side * scale) for side in size), Image.Resampling.BICUBIC)
    if kind in ('cropped', 'all'):
        left, top, right, bottom = rng.uniform(0, 1 / 16, 4) * (*image.size, *image.size)
        box = (left, top, image.width - right, image.height - bottom)
        image = image.resize(size, Image.Resampling.BICUBIC, box=box)
    if kind in ('brightness', 'all'):
        image = ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.75, 1.25)))
    if kind in ('compressed', 'all'):
        buffer = io.BytesIO()
        image.save(buffer, 'JPEG', quality=int(rng.integers(50, 95)))
        image = Image.open(io.BytesIO(buffer.getvalue()), formats=('JPEG',)).convert('RGB')
    return image


class Images:
    """Images in memory, with what the search asks of a data set."""

    def __init__(self, images: list[Image.Image]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Image.Image:
        """Return image ``index``."""
        return self.images[index]


def search(images: list[Image.Image]) -> Any:
    """Return the near-duplicates among images, by hash."""
    from mochi_mm.evaluation.duplicates import find_near_duplicates, read_pictures

    pictures: Any = read_pictures(Images(images))
    return find_near_duplicates(pictures, progress=True)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Plant, search, print and return the figures."""
    args = parse_args(argv)
    from mochi_mm.datasets import ImageFolder

    dataset = ImageFolder(args.folder, classes=[])
    rng = np.random.default_rng(args.seed)
    base = args.images - args.planted
    drawn = rng.permutation(len(dataset))[: int(_SPARE * base)]
    images = [dataset.image(int(i)).copy() for i in drawn]
    natural = search(images)
    gone = set(natural.pairs[:, 1].tolist())
    images = [image for i, image in enumerate(images) if i not in gone][:base]
    if len(images) < base:
        raise ValueError(
            f'{args.folder} has {len(images)} different images among {len(drawn)} drawn; expected '
            f'at least {base}: give fewer --images, or a larger folder.'
        )
    sources = rng.choice(base, args.planted, replace=False)
    planted = {(int(source), base + n) for n, source in enumerate(sources)}
    copies = [plant(images[s], KINDS[n % len(KINDS)], rng) for n, s in enumerate(sources)]
    began = time.process_time()
    found = search(images + copies)
    seconds = time.process_time() - began
    pairs = {(int(a), int(b)) for a, b in found.pairs}
    figures = dict(
        recall=len(pairs & planted) / len(planted),
        precision=len(pairs & planted) / max(1, len(pairs)),
        natural=float(len(natural.pairs)),
        candidates=float(found.candidates),
        seconds=seconds,
        images_per_second=args.images / seconds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    missed = [KINDS[(copy - base) % len(KINDS)] for _, copy in sorted(planted - pairs)]
    print(f'{len(natural.pairs)} pairs among {len(drawn)} drawn images before anything was planted')
    print('  '.join(f'{name} {value:.4g}' for name, value in figures.items()))
    print(f'not found: {", ".join(missed) or "none"}; found beyond: {len(pairs - planted)}')
    return figures


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
