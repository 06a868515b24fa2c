"""The configs of pre-training, probing and kNN, each read once in a test process."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.launch.config import load_config

ROOT = Path(__file__).resolve().parents[1]
#: Detection has tests of its own: tests/transfer and tests/utils.
NAMES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / 'configs').rglob('*.py'))
    if not {'_base_', 'transfer'} & set(path.parts)
]


@cache
def _read(name: str) -> Config:
    return load_config(ROOT / name)


def config_of(name: str) -> Config:
    """Return a copy of the config at this path in the project."""
    return copy.deepcopy(_read(name))


TRAINED = [name for name in NAMES if _read(name).get('train_cfg')]


def _shrinking() -> Any:
    """The program that takes reference steps, which shrinks models and makes up batches."""
    path = ROOT / 'tools/benchmarks/reference_steps.py'
    spec = importlib.util.spec_from_file_location('reference_steps', path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STEPS = _shrinking()


def small_settings(model: Config) -> dict[str, Any]:
    """Return the config of a model with a small network, short memories and few negatives."""
    settings = STEPS.shrunk(model.to_dict())
    if settings['type'] == 'ImageClassifier':
        parts = len(settings['backbone'].get('backbones', [None]))
        settings['head']['in_channels'] = STEPS.WIDTH * parts
    return settings


def network_of(name: str) -> str:
    """Return the backbone of a config and the widths that fit it, which many configs share."""
    model = _read(name).model.to_dict()
    backbone = model.pop('backbone')
    for same_shapes in ('zero_init_residual', 'frozen', 'init_cfg'):
        backbone.pop(same_shapes, None)
    widths = sorted(set(re.findall(r"'in_channels': \d+", str(model))))
    return json.dumps([backbone, widths], sort_keys=True)
