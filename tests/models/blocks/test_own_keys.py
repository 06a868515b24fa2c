"""The own keys of each anchor as candidates."""

from __future__ import annotations

import pytest

from mochi_mm.models.blocks import image_anchors, own_keys_block, query_anchors
from mochi_mm.structures import Views
from tests.reference import dot, random_units


def test_cosines_of_each_anchor_with_its_own_keys() -> None:
    views = Views(
        {v: random_units(3, 4, v) for v in range(2)},
        {v: random_units(3, 4, 5 + v) for v in range(3)},
    )
    anchors = query_anchors(views, [0, 1, 2])
    block = own_keys_block(anchors)
    assert (block.name, block.pull, block.mixable) == ('own', 1.0, False)
    assert block.similarity.shape == (6, 2) and anchors.keys is not None
    for a in range(6):
        for p in range(2):
            expected = dot(anchors.rows[a], anchors.keys[a, p])
            assert float(block.similarity[a, p]) == pytest.approx(expected, abs=1e-12)


def test_another_similarity_is_taken_pair_by_pair() -> None:
    views = Views({0: random_units(3, 4, 0)}, {j: random_units(3, 4, 5 + j) for j in range(3)})
    anchors = query_anchors(views, [0, 1, 2])
    block = own_keys_block(anchors, lambda rows, keys: -(rows - keys).norm(dim=1))
    assert anchors.keys is not None
    for a in range(3):
        for p in range(2):
            expected = -float((anchors.rows[a] - anchors.keys[a, p]).norm())
            assert float(block.similarity[a, p]) == pytest.approx(expected, abs=1e-12)


def test_anchors_without_keys_are_refused() -> None:
    views = Views({v: random_units(3, 4, v) for v in range(2)})
    with pytest.raises(ValueError, match='the anchors have no own keys; expected embeddings of an'):
        own_keys_block(image_anchors(views))
