"""Made-up photographs, where there are none to measure a pipeline on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def made_up_photographs(folder: Path, count: int, width: int = 500, height: int = 375) -> None:
    """Write ``count`` JPEG files, quality 92, 4:2:0, of smooth noise at four scales.

    Their bytes are about those of a photograph of that size; figures on them are of them alone, and
    say nothing exact about photographs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        draw = np.random.default_rng(index)
        image = np.zeros((height, width, 3), np.float32)
        for cells, share in ((4, 90.0), (16, 45.0), (64, 25.0), (256, 14.0)):
            noise = draw.random((cells * height // width, cells, 3), dtype=np.float32) - 0.5
            image += share * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        pixels = np.clip(128 + 2 * image, 0, 255).astype(np.uint8)
        path = folder / f'{index:06d}.jpg'
        if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 92]):
            raise OSError(f'{path} could not be written; expected a folder with room for it.')
