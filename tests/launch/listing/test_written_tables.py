"""Tables between marks: written, left alone where true, refused where a mark is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.listing.written_tables import COMMAND, out_of_date, write_tables

ROOT = Path(__file__).resolve().parents[3]


EXAMPLE = '```markdown\n<!-- list: configs none -->\nas it is\n<!-- end -->\n```\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder, title in (('small', 'S'), ('large', 'L')):
        path = tmp_path / f'configs/toy/{folder}/{folder}.py'
        path.parent.mkdir(parents=True)
        path.write_text(f'"""{title}.\n\nExpected: e{title}.\nMeasured: m{title}.\n"""\n')
    return tmp_path


def readme(project: Path, text: str) -> Path:
    path = project / 'configs/toy/README.md'
    path.write_text(text)
    return path


def test_documents_of_the_project_are_up_to_date() -> None:
    stale = [path.relative_to(ROOT).as_posix() for path in out_of_date(ROOT)]
    assert stale == [], f'their tables are not what the files say; run {COMMAND}'


def test_tables_are_written_and_nothing_else(project: Path) -> None:
    path = readme(
        project,
        'Before.\n\n<!-- list: configs large -->\nold\n<!-- end -->\n\nBetween.\n\n'
        '<!-- list: configs -->\n<!-- end -->\nAfter.\n' + EXAMPLE,
    )
    assert write_tables(project) == [path]
    head = '| config | expected | measured |\n|---|---|---|\n'
    large = '| [large](large/large.py) | eL | mL |\n'
    small = '| [small](small/small.py) | eS | mS |\n'
    assert path.read_text() == (
        f'Before.\n\n<!-- list: configs large -->\n{head}{large}<!-- end -->\n\nBetween.\n\n'
        f'<!-- list: configs -->\n{head}{large}{small}<!-- end -->\nAfter.\n{EXAMPLE}'
    )
    assert write_tables(project) == out_of_date(project) == []
    header = project / 'configs/toy/small/small.py'
    header.write_text(header.read_text().replace('mS', '17'))
    assert out_of_date(project) == [path]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<!-- list: confgs -->\n<!-- end -->\n', r'list: confgs --> names no table; expected one'),
        (
            '<!-- list: configs none -->\n<!-- end -->\n',
            'nothing is in the table of .*configs none',
        ),
        ('<!-- list: configs -->\n', r'<!-- list: configs --> has no <!-- end --> after it'),
        (
            '<!-- list: configs -->\n<!-- list: configs -->\n<!-- end -->\n',
            r'<!-- list: configs --> has no <!-- end -->',
        ),
    ],
)
def test_wrong_marks_are_named_and_nothing_is_written(
    project: Path, text: str, message: str
) -> None:
    path = readme(project, text)
    with pytest.raises(ValueError, match=message):
        write_tables(project)
    assert path.read_text() == text
