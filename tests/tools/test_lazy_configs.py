"""Configs in MMEngine's pure-Python style are refused by every tool that takes a config."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.toy_runner import REPOSITORY

LAZY = 'from torch.optim import SGD\noptim_wrapper = dict(optimizer=dict(type=SGD))\n'
TOOLS: dict[str, list[str]] = {
    'train.py': ['CONFIG'],
    'train.py --smoke': ['CONFIG', '--smoke'],
    'train.py --resume': ['CONFIG', '--resume'],
    'test.py': ['CONFIG', 'none.pth'],
    'analysis/knn.py': ['CONFIG', 'none.pth'],
    'analysis/linear_probe.py': ['CONFIG', 'none.pth'],
    'analysis/retrieval.py': ['CONFIG', 'none.pth'],
    'analysis/analyze.py': ['CONFIG', 'none.pth'],
    'analysis/print_config.py': ['CONFIG'],
    'analysis/browse_dataset.py': ['CONFIG', '--out', 'page.png'],
    'analysis/robustness.py': ['CONFIG', 'none.pth'],
    'analysis/show_detections.py': ['CONFIG', 'none.pth'],
    'benchmarks/step.py': ['CONFIG'],
}


def test_no_tool_that_takes_a_config_is_missing() -> None:
    with_config = {
        str(path.relative_to(REPOSITORY / 'tools'))
        for path in (REPOSITORY / 'tools').rglob('*.py')
        if re.search(r'add_config\((help|\))', path.read_text())
    }
    assert with_config == {tool.split()[0] for tool in TOOLS}


@pytest.mark.parametrize('tool', TOOLS)
def test_every_tool_refuses_a_lazy_config(tool: str, tmp_path: Path, monkeypatch: Any) -> None:
    """Also as the base of a text config, before anything is built or written."""
    monkeypatch.chdir(tmp_path)
    Path('lazy.py').write_text(LAZY)
    Path('child.py').write_text("_base_ = './lazy.py'\n")
    main = runpy.run_path(str(REPOSITORY / 'tools' / tool.split()[0]))['main']
    for config in ('lazy.py', 'child.py'):
        with pytest.raises(ValueError, match=r'lazy\.py is written in .*pure-Python style'):
            words = [config if word == 'CONFIG' else word for word in TOOLS[tool]]
            monkeypatch.setattr(sys, 'argv', [tool.split()[0], *words])
            main()
    assert {path.name for path in tmp_path.iterdir()} == {'lazy.py', 'child.py'}
