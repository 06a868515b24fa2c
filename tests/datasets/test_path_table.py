"""PathTable: what goes in comes out."""

from __future__ import annotations

import pickle

import pytest

from mochi_mm.datasets.path_table import PathTable


def test_round_trip() -> None:
    paths = ['a/b.jpg', '', 'Fuß/猫 1.png', 'not utf-8 \udcff.jpg', 'x' * 300]
    table = PathTable(iter(paths))
    assert len(table) == 5
    assert [table[i] for i in range(5)] == paths
    copy = pickle.loads(pickle.dumps(table))
    assert [copy[i] for i in range(5)] == paths


@pytest.mark.parametrize('index', [-1, 1])
def test_out_of_range(index) -> None:
    with pytest.raises(IndexError):
        PathTable(['a'])[index]


def test_empty() -> None:
    assert len(PathTable([])) == 0
