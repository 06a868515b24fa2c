"""Anchors pair by pair, image by image, cell by cell, each with the cell that it matches."""

from __future__ import annotations

import torch

from mochi_mm.models.blocks.cell_anchors import cell_anchors
from mochi_mm.structures import Views


def test_order_images_samples_and_keys() -> None:
    images, cells = 3, 4
    generator = torch.Generator().manual_seed(0)
    online, target, maps, others = (
        {v: torch.randn(images, cells, 5, generator=generator) for v in range(2)} for _ in range(4)
    )
    samples = dict(sample_idx=torch.arange(10, 13))
    found = cell_anchors(Views(online, target, samples, maps, others))
    assert found.num_images == images and found.keys is not None
    number = 0
    for i, j in ((0, 1), (1, 0)):
        for b in range(images):
            for p in range(cells):
                cosines = torch.nn.functional.cosine_similarity(maps[i][b, p], others[j][b])
                match = int(cosines.argmax())
                assert torch.equal(found.rows[number], online[i][b, p])
                assert torch.equal(found.keys[number, 0], target[j][b, match])
                assert int(found.image[number]) == b and int(found.cell[number]) == p
                assert int(found.match[number]) == match
                assert int(found.samples['sample_idx'][number]) == 10 + b
                number += 1
    assert number == len(found.rows) == len(found.keys) == len(found.match)
