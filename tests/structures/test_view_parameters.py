"""What was drawn for the views of a batch."""

from __future__ import annotations

import torch
from torch.utils.data import default_collate

from mochi_mm.structures import ViewParameters


def of_image(seed: int) -> ViewParameters:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 3, 3), (2, 3, 3), (2,), (2,), (2, 4), (2,)]
    return ViewParameters(*(torch.rand(shape, generator=generator) for shape in shapes))


def test_one_view_of_a_collated_batch() -> None:
    images = [of_image(seed) for seed in range(3)]
    batch = default_collate(images)
    assert isinstance(batch, ViewParameters)
    for view in range(2):
        for name, values in batch.of_view(view)._asdict().items():
            expected = torch.stack([getattr(image, name)[view] for image in images])
            assert torch.equal(values, expected), name
