"""A network of few weights on a few images, with a probe, for the tests of robustness."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.linear_classifier import fit_linear
from mochi_mm.evaluation.robustness import PixelClassifier
from tests.evaluation.toy import ToyImages, toy_loader, toy_model


def toy_classifier() -> PixelClassifier:
    """The toy network with a probe that gets most of its images right."""
    model = toy_model(5)
    features, labels = extract_features(model, toy_loader(ToyImages(60, noise=200)))
    return PixelClassifier(model, fit_linear(features, labels, 1e-3, 6))


def queries(size: int = 18, batch_size: int = 7) -> DataLoader:
    return toy_loader(ToyImages(size, seed=1, noise=200), batch_size)


def batch(size: int = 6) -> dict[str, Any]:
    return next(iter(queries(size, size)))


def pixels(size: int = 6) -> torch.Tensor:
    return batch(size)['inputs'][0] / 255
