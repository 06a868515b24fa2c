"""Without mmdet one line says what to install; pre-training does not need it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from mochi_mm.launch.config import load_config


@pytest.fixture
def without_mmdet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has neither mmcv nor mmdet."""
    for name in ('mmcv', 'mmdet'):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, 'mochi_mm.transfer', raising=False)


@pytest.mark.usefixtures('without_mmdet')
def test_import_says_what_to_install() -> None:
    with pytest.raises(ImportError) as caught:
        import_module('mochi_mm.transfer')
    assert str(caught.value) == (
        "mochi_mm.transfer needs mmcv and mmdet: pip install 'mochi_mm[det]' (no compiler needed)"
    )


@pytest.mark.usefixtures('without_mmdet')
def test_a_detection_config_says_so_too(tmp_path: Path) -> None:
    config = tmp_path / 'config.py'
    config.write_text(
        "custom_imports = dict(imports=['mochi_mm.transfer'], allow_failed_imports=False)\n"
    )
    with pytest.raises(ImportError, match=r'^mochi_mm\.transfer needs mmcv and mmdet: pip '):
        load_config(config)
