"""The small picture by which images are compared."""

from __future__ import annotations

import numpy as np
from PIL import Image

#: Pixels of its sides.
THUMBNAIL = 32


def thumbnail(image: Image.Image) -> np.ndarray:
    """Return an image squeezed to (32, 32, 3) uint8, each pixel the mean of what it covers.

    Args:
        image: Of any size and shape; its proportions are not kept.
    """
    small = image.convert('RGB').resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.uint8)
