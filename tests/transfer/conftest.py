"""Fixtures of the detection tests; they need the extra ``det``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from tests.transfer.scenes import write_scenes


@pytest.fixture(autouse=True)
def own_scope_afterwards() -> Iterator[None]:
    """Detection works in mmdet's scope; other tests expect ours."""
    yield
    init_default_scope('mochi_mm')


@pytest.fixture(scope='session')
def voc_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated scenes in VOC layout; read only."""
    return write_scenes(tmp_path_factory.mktemp('voc'), 'voc')


@pytest.fixture(scope='session')
def coco_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of generated scenes in COCO layout; read only."""
    return write_scenes(tmp_path_factory.mktemp('coco'), 'coco')
