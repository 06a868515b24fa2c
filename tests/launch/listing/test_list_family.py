"""The family's table: figures of the records, and a record that has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.listing.list_family import list_family


def write(root: Path, name: str, metrics: dict[str, float]) -> None:
    folder = root / 'results/measured'
    folder.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = dict(
        config='configs/sce/sce.py',
        metrics=metrics,
        date='2026-01-02',
        commit='abc',
        hardware='CPU, Some Processor, 2 cores, 1 threads',
    )
    (folder / name).write_text(json.dumps(record))


def test_rows(tmp_path: Path) -> None:
    write(tmp_path, 'family-cifar10-sce.json', {'knn': 41.125, 'knn (untrained)': 31.275})
    write(tmp_path, 'family-coloured-sce.json', {'biased': 90.0, 'biased (untrained)': 80.0})
    write(tmp_path, 'sce-knn.json', {'knn': 1.0})
    (row,) = list_family(tmp_path, 'cifar10').rows
    assert tuple(map(str, row)) == (
        'sce', '31.3', '41.1', '+9.9', '2026-01-02', 'abc', 'Some Processor',
    )  # fmt: skip


def test_a_record_without_an_untrained_figure(tmp_path: Path) -> None:
    write(tmp_path, 'family-cifar10-sce.json', {'knn': 41.1})
    with pytest.raises(ValueError, match='family-cifar10-sce.json holds knn; expected'):
        list_family(tmp_path, 'cifar10')
