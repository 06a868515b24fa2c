"""A toy MoCo on images of noise, with the data that an analysis needs."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader, default_collate

from mochi_mm.evaluation.analysis import AnalysisSettings, view_batches
from mochi_mm.randomness import StepKey
from tests.models.algorithms.toy import build_moco
from tests.toy_runner import NoiseImages

PLAIN = [dict(type='Resize', size=16), dict(type='PackInputs')]


def samples(size: int = 12) -> DataLoader:
    """One view of each image, three classes."""
    return DataLoader(NoiseImages(size, pipeline=PLAIN), 5, collate_fn=default_collate)


def pairs(settings: AnalysisSettings, size: int = 12, batch_size: int = 4) -> DataLoader:
    """Training views."""
    return view_batches(NoiseImages(size), settings.num_queries, settings.seed, batch_size)


def trained_moco(mixing: bool = True, steps: int = 6, **kwargs: Any) -> Any:
    """A MoCo whose memory holds keys of these images, two thirds of them of known class."""
    model = build_moco(mixing=mixing, **kwargs)
    loader = pairs(AnalysisSettings())
    for step, batch in zip(range(steps), [*loader, *loader], strict=False):
        model.set_step(StepKey(0, step))
        data = model.data_preprocessor(batch, True)
        with torch.no_grad():
            model.loss(data['inputs'], data['data_samples'])
    return model
