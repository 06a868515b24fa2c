"""Pictures: views, curves, nearest neighbors."""

from mochi_mm.visualization.detections import draw_detections
from mochi_mm.visualization.figures import (
    draw_curves,
    draw_image_rows,
    nearest_neighbors,
    read_scalars,
)
from mochi_mm.visualization.safe_local_vis_backend import SafeLocalVisBackend

__all__ = [
    'SafeLocalVisBackend',
    'draw_curves',
    'draw_detections',
    'draw_image_rows',
    'nearest_neighbors',
    'read_scalars',
]
