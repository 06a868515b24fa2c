"""``mmcv._ext`` is supplied where it is absent, and only there."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mochi_mm.transfer.ops.finder import MissingOpsFinder, supply_missing_ops

NAME = 'mmcv._ext'
without_compiled = pytest.mark.skipif(
    PathFinder.find_spec(NAME, import_module('mmcv').__path__) is not None,
    reason='mmcv is installed with its compiled operators',
)


def import_afresh(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the extension as the first who asks for it."""
    monkeypatch.delitem(sys.modules, NAME)
    monkeypatch.delattr(import_module('mmcv'), '_ext')
    return import_module(NAME)


@without_compiled
def test_other_operators_name_themselves_and_the_command() -> None:
    from mmcv.ops.focal_loss import SigmoidFocalLossFunction, ext_module

    with pytest.raises(
        RuntimeError,
        match=r"'sigmoid_focal_loss_forward'.*pip install .*--no-build-isolation .*mmcv==\d",
    ):
        ext_module.sigmoid_focal_loss_forward(1, alpha=2)
    assert SigmoidFocalLossFunction
    assert not hasattr(ext_module, '__path__')


@without_compiled
def test_environment_report_still_works() -> None:
    from mmcv.utils.env import collect_env

    assert 'torchvision' in collect_env()['MMCV Compiler']


@without_compiled
def test_says_so_once(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    monkeypatch.setattr('mmengine.logging.print_log', lambda text, logger: said.append(text))
    module = import_afresh(monkeypatch)
    assert import_module(NAME) is module
    assert len(said) == 1
    assert 'nms and roi_align come from torchvision' in said[0]


def test_a_compiled_extension_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module that the ordinary finders find, where the compiled one would stand."""
    (tmp_path / '_ext.py').write_text('compiled = "mine"\n')
    mmcv = import_module('mmcv')
    monkeypatch.setattr(mmcv, '__path__', [str(tmp_path), *mmcv.__path__])
    assert import_afresh(monkeypatch).compiled == 'mine'


def test_the_finder_stands_last_and_finds_nothing_else() -> None:
    supply_missing_ops()
    finders = [finder for finder in sys.meta_path if isinstance(finder, MissingOpsFinder)]
    assert len(finders) == 1
    assert sys.meta_path.index(finders[0]) > sys.meta_path.index(PathFinder)
    assert finders[0].find_spec('mmcv._ext2', None) is None
    assert finders[0].find_spec('mmcv.ops', None) is None
