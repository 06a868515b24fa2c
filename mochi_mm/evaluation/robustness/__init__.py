"""What is left of a classifier's accuracy when its images are attacked or corrupted."""

from mochi_mm.evaluation.robustness.measure_robustness import measure_robustness
from mochi_mm.evaluation.robustness.pixel_classifier import PixelClassifier
from mochi_mm.evaluation.robustness.settings import RobustnessSettings

__all__ = ['PixelClassifier', 'RobustnessSettings', 'measure_robustness']
