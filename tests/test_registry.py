"""Finding components, and saying what is near when there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mmengine import registry as root

from mochi_mm.registry import HOOKS, MODELS, ComponentRegistry


def test_components_are_found_from_the_root_by_scope() -> None:
    assert root.MODELS.get('mochi_mm.FeatureQueue') is MODELS.get('FeatureQueue')
    assert MODELS.scope == 'mochi_mm' and isinstance(HOOKS, ComponentRegistry)


def test_engine_components_are_found() -> None:
    assert HOOKS.get('LoggerHook').__module__.startswith('mmengine')
    assert 'LoggerHook' in HOOKS and 'LogerHook' not in HOOKS


def test_a_plain_name_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up; a module of that name on the path is none of a config's business."""
    (tmp_path / 'no_component.py').write_text('raise SystemExit')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert MODELS.find('no_component') is None and 'no_component' not in HOOKS
    with pytest.raises(KeyError, match="'no_component' is not a registered model"):
        MODELS.build(dict(type='no_component'))
    assert 'no_component' not in sys.modules
    assert MODELS.find('torch.nn.Linear') is MODELS.get('torch.nn.Linear')


def test_unknown_component_lists_the_nearest() -> None:
    with pytest.raises(KeyError, match="'FeatureQue' is not a registered model.*FeatureQueue"):
        MODELS.build(dict(type='FeatureQue', length=3))


def test_unknown_argument_lists_the_accepted() -> None:
    with pytest.raises(ValueError, match="'lenght'; did you mean 'length'.*length, dim, init_seed"):
        MODELS.build(dict(type='FeatureQueue', lenght=3))
