"""What is compared, in which order, with which own keys."""

from __future__ import annotations

import torch

from mochi_mm.models.blocks import image_anchors, pair_anchors, query_anchors
from mochi_mm.models.blocks.anchors import repeat_samples
from mochi_mm.structures import Views
from tests.reference import random_units

SAMPLES = dict(gt_label=torch.tensor([4, 5, 6]), box=torch.arange(6).view(3, 2))


def views(online: int, target: int) -> Views:
    return Views(
        {v: random_units(3, 2, v) for v in range(online)},
        {v: random_units(3, 2, 10 + v) for v in range(target)},
        SAMPLES,
    )


def test_images_stand_image_by_image() -> None:
    given = views(2, 0)
    anchors = image_anchors(given)
    assert (anchors.num_images, anchors.num_views, anchors.keys) == (3, 2, None)
    assert anchors.image.tolist() == [0, 0, 1, 1, 2, 2]
    for a in range(6):
        assert torch.equal(anchors.rows[a], given.online[a % 2][a // 2])
        for name, values in SAMPLES.items():
            assert torch.equal(anchors.samples[name][a], values[a // 2])


def test_pairs_stand_pair_by_pair_with_one_key_each() -> None:
    given = views(2, 3)
    anchors = pair_anchors(given)
    assert anchors.keys is not None and anchors.keys.shape == (12, 1, 2)
    for number, (i, j) in enumerate([(0, 1), (0, 2), (1, 0), (1, 2)]):
        for b in range(3):
            a = 3 * number + b
            assert torch.equal(anchors.rows[a], given.online[i][b])
            assert torch.equal(anchors.keys[a, 0], given.target[j][b])
            assert int(anchors.image[a]) == b
            assert int(anchors.samples['gt_label'][a]) == 4 + b
            assert torch.equal(anchors.samples['box'][a], SAMPLES['box'][b])


def test_queries_have_the_keys_of_all_other_positives() -> None:
    given = views(2, 4)
    anchors = query_anchors(given, [0, 1, 2])
    assert anchors.keys is not None and anchors.keys.shape == (6, 2, 2)
    assert anchors.num_views == 1 and anchors.num_images == 3
    for i in range(2):
        others = [j for j in (0, 1, 2) if j != i]
        for b in range(3):
            a = 3 * i + b
            assert torch.equal(anchors.rows[a], given.online[i][b])
            for place, j in enumerate(others):
                assert torch.equal(anchors.keys[a, place], given.target[j][b])
            assert int(anchors.image[a]) == b and int(anchors.samples['gt_label'][a]) == 4 + b


def test_samples_are_repeated_along_their_first_dimension() -> None:
    assert repeat_samples(SAMPLES, 2)['gt_label'].tolist() == [4, 5, 6] * 2
    assert repeat_samples(SAMPLES, 2)['box'].shape == (6, 2)
    assert repeat_samples(SAMPLES, 1)['box'] is SAMPLES['box']
