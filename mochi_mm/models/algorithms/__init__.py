"""Algorithms: the encoders, the views that each sees, and the parts that are trained."""

from mochi_mm.models.algorithms.adversarial_contrast import AdversarialContrast
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.algorithms.cross_view_contrast import CrossViewContrast
from mochi_mm.models.algorithms.image_classifier import ImageClassifier
from mochi_mm.models.algorithms.in_batch_contrast import InBatchContrast
from mochi_mm.models.algorithms.moco import MoCo

__all__ = [
    'AdversarialContrast',
    'BaseAlgorithm',
    'CrossViewContrast',
    'ImageClassifier',
    'InBatchContrast',
    'MoCo',
]
