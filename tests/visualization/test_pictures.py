"""Galleries show the nearest in order, framed by class; maps put every point somewhere."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mochi_mm.evaluation.analysis.negative_map import NegativeMap
from mochi_mm.visualization.gallery import _FRAME, _OTHER, _PLAIN, _SAME, draw_gallery
from mochi_mm.visualization.negative_map import draw_negative_map, tsne

GRAYS = [0, 40, 80, 120, 160, 200]


class Grays:
    """Image i is plain gray."""

    def image(self, index: int) -> Image.Image:
        return Image.new('RGB', (20, 30), (GRAYS[index],) * 3)


class Axis:
    """Keeps what is drawn."""

    def imshow(self, canvas: np.ndarray, **_: Any) -> None:
        self.canvas = canvas

    def set_axis_off(self) -> None:
        pass


def test_gallery() -> None:
    angle = torch.tensor([0.0, 0.1, 0.25, 1.0, 1.2, 3.0])
    features = torch.stack([angle.cos(), angle.sin()], dim=1) * torch.arange(1, 7)[:, None]
    labels = torch.tensor([0, 0, 1, 1, -1, 1])
    axis = Axis()
    draw_gallery(axis, Grays(), features, labels, rows=2, neighbors=3, size=16)
    assert axis.canvas.shape == (2 * 20 - 4, 4 * 20 - 4, 3)
    queries = (0, 5)
    for row, query in enumerate(queries):
        others = sorted(set(range(6)) - {query}, key=lambda i: abs(float(angle[i] - angle[query])))
        for column, index in enumerate([query, *others[:3]]):
            cell = axis.canvas[row * 20 : row * 20 + 16, column * 20 : column * 20 + 16]
            assert tuple(cell[8, 8]) == (GRAYS[index],) * 3, (row, column)
            if column == 0 or labels[index] < 0:
                wanted = _PLAIN
            else:
                wanted = _SAME if labels[index] == labels[query] else _OTHER
            assert tuple(cell[_FRAME - 1, 8]) == wanted, (row, column)


def test_more_neighbors_than_there_are() -> None:
    with pytest.raises(ValueError, match='6 neighbors of 6 samples; expected at most 5'):
        draw_gallery(Axis(), Grays(), torch.eye(6), torch.arange(6), neighbors=6)


def clusters() -> NegativeMap:
    rng = np.random.default_rng(0)
    centers = np.eye(8)[:2].repeat(12, axis=0)
    points = centers + 0.05 * rng.standard_normal((24, 8))
    kinds = np.array(['query', 'key', *['hard'] * 14, *['PairMixing'] * 4, *['SignStep'] * 4])
    parents = np.full((24, 2), -1)
    parents[16:20] = [(2, 3), (4, 5), (6, 7), (8, 9)]
    parents[20:] = [(10, 0)] * 4
    same = np.zeros(24, dtype=bool)
    same[5] = True
    return NegativeMap(points, kinds, parents, same)


def test_tsne_keeps_clusters_and_repeats_itself() -> None:
    data = clusters()
    place = tsne(data.points)
    assert place.shape == (24, 2)
    np.testing.assert_array_equal(place, tsne(data.points))
    distance = np.linalg.norm(place[:, None] - place[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(1)
    assert ((nearest < 12) == (np.arange(24) < 12)).all()
    with pytest.raises(ValueError, match='3 points'):
        tsne(data.points[:3])


def test_a_map_names_every_kind_and_links_parents() -> None:
    from matplotlib.figure import Figure

    axis = Figure().add_subplot()
    draw_negative_map(axis, clusters(), links=3)
    labels = axis.get_legend_handles_labels()[1]
    assert labels == [
        'hard negative',
        'pair of hard negatives mixed',
        'its key',
        'query',
        'SignStep',
        "hard negative of the query's class",
    ]
    assert len(axis.lines) == 2 * 3 + 2 * 3  # two parents of three points of each kind
    assert [len(c.get_offsets()) for c in axis.collections] == [14, 4, 1, 1, 4, 1]


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'sklearn.manifold', None)
    with pytest.raises(ImportError, match='pip install scikit-learn'):
        tsne(np.eye(5))
