"""Options are read from the source of a program, as its parser would list them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from mochi_mm.launch.command.tool_options import tool_options

ROOT = Path(__file__).resolve().parents[3]


TOOLS = [
    path
    for path in sorted((ROOT / 'tools').rglob('*.py'))
    if 'ToolParser' in path.read_text(encoding='utf-8')
]


@pytest.mark.parametrize('path', TOOLS, ids=lambda path: str(path.relative_to(ROOT / 'tools')))
def test_they_are_those_of_the_help(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('sys.argv', [str(path), '--help'])
    with pytest.raises(SystemExit):
        runpy.run_path(str(path), run_name='__main__')
    listed = capsys.readouterr().out.partition('options:')[2]
    shown = re.findall(r'^  (?:-\w, )?(--[\w-]+)', listed, re.M)
    assert tool_options(path) == sorted(set(shown))


def test_a_script_has_those_of_what_it_calls(tmp_path: Path) -> None:
    assert '--resume' in tool_options(ROOT / 'tools/dist_train.sh')
    assert tool_options(tmp_path / 'alone.sh') == ['--debug', '--help']
