"""What is written of each start, and the order that starts are read in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mochi_mm.runs import start_facts
from mochi_mm.runs.run_log import read_log
from mochi_mm.runs.start_facts import began_at, describe_start, differences, write_start
from tests.visualization.report.toy import step
from tests.visualization.report.toy import write_start as write_log


@pytest.mark.parametrize('library', ['numpy', 'pillow', 'torchvision', 'mmengine', 'torch'])
def test_another_library_is_told(library: str) -> None:
    """Pillow decodes the images, NumPy draws for them: another one gives other bits."""
    before, now = describe_start(), describe_start()
    assert differences(before, now) == []
    before[library] = '0.1'
    assert differences(before, now) == [f'{library}: 0.1 -> {now[library]}']
    del before[library]  # of a version that did not write it down
    assert differences(before, now) == []


def repository(folder: Path) -> Path:
    """A repository with this file of the package in it."""
    copy = folder / 'start_facts.py'
    shutil.copy(start_facts.__file__, copy)
    for words in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'first']):
        who = ['-c', 'user.name=a', '-c', 'user.email=a@b.c']
        subprocess.run(['git', *who, *words], cwd=folder, check=True)
    return copy


def asked(copy: Path) -> list[str]:
    """Commit and changes, as the copy finds them."""
    code = f"""
import importlib.util
spec = importlib.util.spec_from_file_location('copy', {str(copy)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.commit(), '|', module.changes())
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    return [word.strip() for word in done.stdout.split('|')]


def test_two_trees_that_differ_from_one_commit_are_two(tmp_path: Path) -> None:
    copy = repository(tmp_path)
    clean = asked(copy)
    assert len(clean[0]) == 12 and clean[1] == ''
    found = []
    for edit in ('# one\n', '# two\n'):
        with open(copy, 'a') as file:
            file.write(edit)
        found.append(asked(copy))
    assert found[0][0] == found[1][0] == f'{clean[0]}-dirty'
    assert found[0][1] != found[1][1] and len(found[0][1]) == 12


def test_the_repository_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    """The package is installed in an environment within the repository of its user."""
    inside = tmp_path / 'environment'
    inside.mkdir()
    repository(tmp_path)
    (tmp_path / '.gitignore').write_text('environment\n')
    copy = shutil.copy(start_facts.__file__, inside / 'start_facts.py')
    assert asked(Path(copy)) == ['unknown', '']


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    """The second start is a year before the first; each counts those before it."""
    for name, seconds, lines in (
        ('20260101_000000', 2e9, [step(1, 1.0), step(2, 2.0)]),
        ('20250101_000000', 1e9, [step(3, 3.0)]),
        ('20250101_000001', 1e9, [step(4, 4.0)]),
    ):
        facts = dict(describe_start(tmp_path), unix_time=seconds)
        write_log(tmp_path, name, lines)
        write_start(tmp_path / name, facts)
    assert read_log(tmp_path).curve('loss', False) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_starts_that_nobody_counted_come_first(tmp_path: Path) -> None:
    write_log(tmp_path, '20270101_000000', [step(1, 1.0)])  # of an earlier version, clock ahead
    write_log(tmp_path, '20260101_000000', [step(2, 2.0)])
    write_start(tmp_path / '20260101_000000', dict(describe_start(tmp_path), unix_time=1e9))
    assert read_log(tmp_path).curve('loss', False) == ([1, 2], [1, 2])


@pytest.mark.parametrize('seconds', [None, 'soon', float('nan'), True, 10**400])
def test_a_time_that_is_none(tmp_path: Path, seconds: object) -> None:
    (tmp_path / '20260101_000000').mkdir()
    text = str(seconds).replace('soon', '"soon"').replace('None', 'null').replace('True', 'true')
    (tmp_path / '20260101_000000/start_facts.json').write_text(f'{{"unix_time": {text}}}')
    named = start_facts.seconds_of('20260101_000000')
    assert began_at(tmp_path / '20260101_000000') == named
