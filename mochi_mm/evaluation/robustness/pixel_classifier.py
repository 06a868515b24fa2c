"""A network as a function of pixels in [0, 1]."""

from __future__ import annotations

from torch import Tensor, nn

from mochi_mm.evaluation.linear_classifier import LinearClassifier
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor


class PixelClassifier(nn.Module):
    """Logits of images (B, 3, H, W) in [0, 1], with gradient down to the pixels.

    The normalization of the network is inside, so an attack on it is measured in pixels.

    Args:
        model: An algorithm.
        probe: Classifier of its pooled features; None takes the head of ``model`` that classifies.

    Raises:
        ValueError: An algorithm that normalizes its images otherwise.
        NotImplementedError: When called without a probe on a model of which no head classifies.
    """

    def __init__(self, model: BaseAlgorithm, probe: LinearClassifier | None = None) -> None:
        super().__init__()
        if not isinstance(model.data_preprocessor, ViewDataPreprocessor):
            raise ValueError(
                f'the data preprocessor is {type(model.data_preprocessor).__name__}; expected a '
                'ViewDataPreprocessor, whose normalization of pixels is known.'
            )
        self.model, self.probe = model, probe
        self.preprocessor: ViewDataPreprocessor = model.data_preprocessor

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (B, classes) logits of (B, 3, H, W) in [0, 1]."""
        images = self.model.in_layout([self.preprocessor.normalize(255 * pixels)])
        if self.probe is not None:
            return self.probe.scores(self.model.extract_feat(images))
        classifier, features = self.model.classified(images)
        return classifier.logits(features)
