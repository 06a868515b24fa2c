"""Corruptions of images at five strengths: noise, blur, contrast, JPEG."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mochi_mm.models.functional.augment import blur_radius, gaussian_blur
from mochi_mm.randomness import SampleKey

#: Five strengths of each: standard deviation of the noise, as a share of the range; that of the
#: blur, in pixels of an image of 32; factor on the contrast; quality of the JPEG file.
STRENGTHS: dict[str, tuple[float, ...]] = dict(
    noise=(0.02, 0.04, 0.06, 0.08, 0.10),
    blur=(0.4, 0.6, 0.8, 1.0, 1.2),
    contrast=(0.75, 0.5, 0.4, 0.3, 0.15),
    jpeg=(80, 65, 50, 35, 20),
)
CORRUPTIONS = tuple(STRENGTHS)


def corrupt(images: Tensor, name: str, strength: int, indices: Tensor, seed: int = 0) -> Tensor:
    """Return corrupted images, whole gray levels again.

    Args:
        images: (B, 3, H, W) uint8, on the CPU.
        name: One of ``CORRUPTIONS``.
        strength: 1 to 5, of ``STRENGTHS``.
        indices: (B,) number of each image in its data set, which keys its noise: the same at every
            strength but for its size, whatever the batch.
        seed: Random seed of the noise.

    Returns:
        (B, 3, H, W) uint8.

    Raises:
        ValueError: An unknown name, another strength, images that are no bytes, ``jpeg`` of other
            than three channels.
    """
    if name not in STRENGTHS or strength not in range(1, 6) or images.dtype != torch.uint8:
        raise ValueError(
            f'{images.dtype} images are to be corrupted by {name!r} at strength {strength}; '
            f'expected uint8, one of {", ".join(CORRUPTIONS)} and a strength from 1 to 5.'
        )
    amount = STRENGTHS[name][strength - 1]
    if name == 'jpeg' and images.shape[1] != 3:
        raise ValueError(
            f'images of {images.shape[1]} channels are to be corrupted by jpeg, which has 3; leave '
            'jpeg out of the corruptions.'
        )
    if name == 'jpeg':
        return torch.stack([_compressed(image, int(amount)) for image in images])
    levels = images.float()
    if name == 'noise':
        levels = levels + 255 * amount * _noise(images, indices, seed)
    if name == 'blur':
        sigma = amount * images.shape[-1] / 32
        levels = gaussian_blur(levels, torch.full((len(images),), sigma), blur_radius(sigma))
    if name == 'contrast':
        mean = levels.mean((2, 3), keepdim=True)
        levels = mean + amount * (levels - mean)
    return levels.round().clamp(0, 255).to(torch.uint8)


def _noise(images: Tensor, indices: Tensor, seed: int) -> Tensor:
    """Return standard normal numbers (B, 3, H, W), those of each image its own."""
    drawn = [
        SampleKey(index, seed).generator().standard_normal(tuple(images.shape[1:]), np.float32)
        for index in indices.tolist()
    ]
    return torch.from_numpy(np.stack(drawn))


def _compressed(image: Tensor, quality: int) -> Tensor:
    """Return an image (3, H, W) uint8 as a JPEG file of that quality keeps it."""
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, 'JPEG', quality=quality)
    with Image.open(file, formats=('JPEG',)) as read:
        return torch.from_numpy(np.array(read)).permute(2, 0, 1).contiguous()
