"""Options are read from the source of a program, as its parser would list them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from mochi_mm.launch.command.tool_options import tool_options

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize('name', ['train', 'analysis/knn', 'list', 'dataset/make_subset'])
def test_they_are_those_of_the_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / f'tools/{name}.py'
    with pytest.raises(SystemExit):
        runpy.run_path(str(path))['parse_args'](['--help'])
    listed = capsys.readouterr().out.partition('options:')[2]
    shown = re.findall(r'^  (?:-\w, )?(--[\w-]+)', listed, re.M)
    assert tool_options(path) == sorted(set(shown))


def test_a_script_has_those_of_what_it_calls(tmp_path: Path) -> None:
    assert '--resume' in tool_options(ROOT / 'tools/dist_train.sh')
    assert tool_options(tmp_path / 'alone.sh') == ['--debug', '--help']
