"""Some images of a loader, evenly spaced."""

from __future__ import annotations

import torch

from mochi_mm.evaluation.some_images import some_images
from tests.evaluation.toy import ToyImages, toy_loader


def test_they_are_evenly_spaced() -> None:
    loader = toy_loader(ToyImages(24), 3)
    for number, rows in ((4, [0, 8, 15, 23]), (1, [0]), (99, list(range(24)))):
        batches = list(some_images(loader, number))
        assert torch.cat([b['data_samples']['sample_idx'] for b in batches]).tolist() == rows
        assert max(len(b['inputs'][0]) for b in batches) <= 3
