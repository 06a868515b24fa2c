"""Every mistake of the table ends with its paragraph, exit code 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mistakes import MISTAKES, Mistake, make, prepare
from tests.forked import run_tool


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('mistakes')
    prepare(path)
    return path


def test_there_are_thirty() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 30


def assert_paragraph(mistake: Mistake, code: int, said: str, refused: str) -> None:
    shown = [line for line in (said + refused).splitlines() if line.strip()]
    assert code == 2, refused
    assert mistake.said in refused.strip().splitlines()[-1], refused
    assert 'Traceback' not in refused and len(shown) <= 12, said + refused


@pytest.mark.parametrize('mistake', MISTAKES, ids=lambda mistake: mistake.name)
def test_it_is_one_paragraph(mistake: Mistake, folder: Path) -> None:
    tool, *words = mistake.words.split()
    done = run_tool(tool, *words, folder=folder)
    assert_paragraph(mistake, done.returncode, done.stdout, done.stderr)
    assert not list(folder.rglob('epoch_*.pth'))


@pytest.mark.slow
@pytest.mark.parametrize('name', ['typo.py', 'num_hard=17', 'foreign.pth'])
def test_nor_do_imports_say_more(name: str, folder: Path) -> None:
    """In a new interpreter: refused before torch, behind the build, and by another tool."""
    mistake = next(mistake for mistake in MISTAKES if name in mistake.words)
    done, _, _ = make(mistake, folder)
    assert_paragraph(mistake, done.returncode, done.stdout, done.stderr)
