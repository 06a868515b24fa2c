"""``mochi-mm`` starts the program that is named, with this interpreter, and knows the configs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mochi_mm.launch.command import dispatch
from mochi_mm.version import __version__

ROOT = Path(__file__).resolve().parents[3]


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
