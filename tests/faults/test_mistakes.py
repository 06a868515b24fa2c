"""Every mistake of the table ends with its paragraph, exit code 2 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mistakes import MISTAKES, Mistake, make, prepare


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('mistakes')
    prepare(path)
    return path


def test_there_are_thirty() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 30


@pytest.mark.slow
@pytest.mark.parametrize('mistake', MISTAKES, ids=lambda mistake: mistake.name)
def test_it_is_one_paragraph(mistake: Mistake, folder: Path) -> None:
    done, _, _ = make(mistake, folder)
    shown = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    assert done.returncode == 2, done.stderr
    assert mistake.said in done.stderr.strip().splitlines()[-1], done.stderr
    assert 'Traceback' not in done.stderr and len(shown) <= 12, done.stdout + done.stderr
    assert not list(folder.rglob('epoch_*.pth'))
