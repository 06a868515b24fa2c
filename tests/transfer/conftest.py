"""Fixtures of the detection tests; they need the extra ``det``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transfer.scenes import write_scenes


@pytest.fixture(scope='session')
def voc_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated scenes in VOC layout; read only."""
    return write_scenes(tmp_path_factory.mktemp('voc'), 'voc')


@pytest.fixture(scope='session')
def coco_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated scenes in COCO layout; read only."""
    return write_scenes(tmp_path_factory.mktemp('coco'), 'coco')
