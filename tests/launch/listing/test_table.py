"""Tables: patterns, a terminal's columns, a document's rows."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.launch.listing.table import Link, Table

TABLE = Table(
    ('name', 'kind', 'what', 'file'),
    [
        (Link('One', Path('/r/a/one.py')), 'big', 'a | b', 'a/one.py'),
        ('Another', 'small', 'c', 'a/b.py'),
    ],
    keys=2,
)


def test_patterns_ignore_case_and_look_at_the_keys_alone() -> None:
    assert [str(row[0]) for row in TABLE.matching('ONE').rows] == ['One']
    assert [str(row[0]) for row in TABLE.matching('*o*').rows] == ['One', 'Another']
    assert [str(row[0]) for row in TABLE.matching('small').rows] == ['Another']
    assert TABLE.matching('a/one.py').rows == []


def test_a_terminal_sees_columns_and_a_single_row_whole() -> None:
    assert TABLE.text().splitlines() == [
        'name     kind   what',
        'One      big    a | b',
        'Another  small  c',
    ]
    assert TABLE.matching('another').text().splitlines() == [
        'name  Another',
        'kind  small',
        'what  c',
        'file  a/b.py',
    ]


def test_a_document_sees_links_from_where_it_lies() -> None:
    assert TABLE.columns('name', 'what').markdown(Path('/r/docs')).splitlines() == [
        '| name | what |',
        '|---|---|',
        '| [One](../a/one.py) | a \\| b |',
        '| Another | c |',
    ]
