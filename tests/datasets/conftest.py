"""Generated pictures that have what photographs have: gradients, edges, texture, color."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter


def make_picture(seed: int = 0, width: int = 90, height: int = 61) -> Image.Image:
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    tint = rng.uniform(40, 215, (2, 2, 3))
    ground = ((1 - x) * (1 - y))[..., None] * tint[0, 0] + (x * (1 - y))[..., None] * tint[0, 1]
    ground = ground + ((1 - x) * y)[..., None] * tint[1, 0] + (x * y)[..., None] * tint[1, 1]
    ground = ground + rng.normal(0, 12, (height, width, 3))
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        left, top = rng.integers(0, width), rng.integers(0, height)
        size = rng.integers(5, 30, 2)
        color = tuple(int(c) for c in rng.integers(0, 256, 3))
        draw.ellipse([int(left), int(top), int(left + size[0]), int(top + size[1])], fill=color)
    return image.filter(ImageFilter.GaussianBlur(0.6))


@pytest.fixture(scope='session')
def picture() -> Image.Image:
    return make_picture()


@pytest.fixture(scope='session')
def draw_picture() -> Callable[..., Image.Image]:
    return make_picture
