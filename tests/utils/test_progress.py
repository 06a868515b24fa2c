"""A bar follows long work on a terminal, and nothing follows short work."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.datasets.voc_classification import VOCClassification
from mochi_mm.utils import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was shown, on a terminal, of work that is long from its first item on."""
    shown: list[tuple[str, int]] = []

    def track(items: Any, description: str, total: int, **settings: Any) -> Any:
        shown.append((description, total))
        return items

    monkeypatch.setattr(progress, 'track', track)
    monkeypatch.setattr(progress, 'sys', SimpleNamespace(stderr=Terminal()))
    monkeypatch.setattr(progress, 'QUIET_SECONDS', 0)
    return shown


@pytest.mark.parametrize(('quiet', 'expected'), [(9, []), (2, [('work', 2)])])
def test_it_shows_after_a_while(
    quiet: float, expected: list, bars: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four items of a second each; every one is handed on once, in order."""
    clock = iter(range(100))
    monkeypatch.setattr(progress, 'QUIET_SECONDS', quiet)
    monkeypatch.setattr(progress.time, 'monotonic', lambda: next(clock))
    assert list(progress.progress_bar('abcd', 'work', 4)) == list('abcd')
    assert bars == expected
    assert list(progress.progress_bar('ab', 'work', 2, shown=False)) == ['a', 'b']
    assert list(progress.progress_bar('', 'work', 0)) == [] and bars == expected


def test_the_bar_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, 'sys', SimpleNamespace(stderr=Terminal()))
    monkeypatch.setattr(progress, 'QUIET_SECONDS', 0)
    assert list(progress.progress_bar(iter('abc'), 'work', 3)) == list('abc')


def test_indexing_shows_how_far_it_is(bars: list, tmp_path: Path) -> None:
    for name in 'abc':
        (tmp_path / name / 'deeper').mkdir(parents=True)
        (tmp_path / name / 'deeper/1.png').touch()
    index = FolderIndex.scan(tmp_path, ('.png',))
    assert len(index) == 3 and bars == [('listing images', 2)]


def test_reading_annotations_shows_how_far_it_is(bars: list, tmp_path: Path) -> None:
    (tmp_path / 'ImageSets/Main').mkdir(parents=True)
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'JPEGImages').mkdir()
    (tmp_path / 'ImageSets/Main/test.txt').write_text('1\n2\n3\n')
    for name in '123':
        (tmp_path / f'JPEGImages/{name}.jpg').touch()  # listed, not opened
        text = '<annotation><object><name>cat</name></object></annotation>'
        (tmp_path / f'Annotations/{name}.xml').write_text(text)
    assert len(VOCClassification(tmp_path, 'test').names) == 3
    assert bars == [('annotations', 2)]
