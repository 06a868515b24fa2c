"""Pictures: views, curves, nearest neighbours."""

from mochi_mm.visualization.detections import draw_detections
from mochi_mm.visualization.figures import (
    draw_curves,
    draw_image_rows,
    nearest_neighbours,
    read_scalars,
)

__all__ = [
    'draw_curves',
    'draw_detections',
    'draw_image_rows',
    'nearest_neighbours',
    'read_scalars',
]
