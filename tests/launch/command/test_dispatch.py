"""``mochi-mm`` starts the program that is named, with this interpreter, and knows the configs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mochi_mm.launch.command import dispatch
from mochi_mm.launch.command.tool_file import find_tool, tool_files
from mochi_mm.version import __version__

ROOT = Path(__file__).resolve().parents[3]
NAME = 'mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes'
PATH = str(ROOT / f'configs/mochi/{NAME}.py')


class Replaced(Exception):
    """What the process would have become."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return the command line that a call of ``mochi-mm`` becomes."""

    def replace(program: str, words: list[str]) -> None:
        raise Replaced(program, words)

    monkeypatch.setattr(os, 'execv', replace)
    monkeypatch.setattr(os, 'execvp', replace)
    monkeypatch.setenv('PATH', '/usr/bin')

    def call(*words: str) -> list[str]:
        with pytest.raises(Replaced) as found:
            dispatch.main(words)
        program, line = found.value.args
        assert program == line[0]
        return line

    return call


def test_a_program_takes_the_place_of_the_command(started: Callable[..., list[str]]) -> None:
    train, knn = str(ROOT / 'tools/train.py'), str(ROOT / 'tools/analysis/knn.py')
    assert started('train', 'c.py', '--smoke') == [sys.executable, train, 'c.py', '--smoke']
    assert started('analysis', 'knn', '--help') == [sys.executable, knn, '--help']
    script = str(ROOT / 'tools/dist_train.sh')
    assert started('dist_train', 'c.py', '2') == ['bash', script, 'c.py', '2']
    assert os.environ['PATH'] == f'{Path(sys.executable).parent}:/usr/bin'


def test_a_config_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tools = tool_files()

    def completed(*words: str) -> list[str]:
        tool, rest = find_tool(words, tools)
        return dispatch.with_config(tool, rest)

    assert completed('train', NAME, '--smoke') == [PATH, '--smoke']
    assert completed('train', f'configs/mochi/{NAME}.py') == [PATH]
    assert completed('slurm-train', 'gpu', NAME, NAME, 'out') == ['gpu', NAME, PATH, 'out']
    for words in (['--work-dir', NAME, 'c.py'], ['configs/none.py'], ['other'], []):
        assert completed('train', *words) == words
    assert completed('list', 'configs', NAME) == ['configs', NAME]
    (tmp_path / NAME).touch()  # what lies here comes first
    assert completed('train', NAME) == [NAME]


@pytest.mark.parametrize(
    ('words', 'code', 'said'),
    [
        ('', 2, 'usage: mochi-mm TOOL'),
        ('--help', 0, '  train Train the model of a config\n'),
        ('analysis', 2, '  knn Measure a checkpoint by k nearest'),
        ('analysis --help', 0, '  report Put several runs side by side'),
        ('--version', 0, f'mochi_mm {__version__}\n'),
        ('completion bash', 0, 'complete -o filenames -F _mochi_mm mochi-mm\n'),
        ('completion fish', 2, 'fish is no shell; expected bash or zsh'),
        ('trian', 2, "no tool is called 'trian'. Nearest: train"),
    ],
)
def test_what_is_said(words: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        dispatch.main(words.split())
    out, err = capsys.readouterr()
    # The columns are as wide as the longest name.
    printed = re.sub(r'(?<=\S) {2,}', ' ', out + err)
    assert left.value.code == code and said in printed
    assert not err or code == 2
