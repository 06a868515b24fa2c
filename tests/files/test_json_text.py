"""JSON from elsewhere is bounded, finite, and can be written again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.files.json_text import MAX_DEPTH, parse_json, read_json_file

ODD = {
    'NaN': '[NaN]',
    'infinity': '{"a": -Infinity}',
    'a number that becomes infinite': '[1e999]',
    'an integer beyond floats': f'[{"9" * 400}]',
    'an integer of 5,000 digits': f'[{"9" * 5000}]',
    'an integer beyond 64 bits': f'[{2**63}]',
    'a million lists': '[' * 10**6,
    'a deep list': '[' * 500 + ']' * 500,
    'a deep dict': '{"a":' * 200 + '1' + '}' * 200,
    'half a character': r'["\ud800"]',
    'half a character as a name': r'{"\udfff": 1}',
    'a byte of a file name': r'["\udce9"]',
    'cut': '{"a": [1, 2',
    'two values': '1 2',
    'nothing': '',
    'a mark of byte order': '\ufeff{}',
    'a null byte': '{"a": 1}\0',
    'single quotes': "{'a': 1}",
}


@pytest.mark.parametrize('name', ODD)
def test_odd_texts_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=r'a\.json is no JSON that is read here') as refused:
        parse_json(ODD[name], 'a.json')
    assert len(str(refused.value)) < 400
    str(refused.value).encode()


def test_plain_json_comes_back() -> None:
    value = dict(a=[1, -2.5, None, True, 'é😀', {'': []}], b=2**63 - 1, c=1e308)
    assert parse_json(json.dumps(value), 'x') == value
    assert parse_json(json.dumps(value, ensure_ascii=False), 'x') == value
    deepest = '[' * MAX_DEPTH + ']' * MAX_DEPTH
    assert parse_json(deepest, 'x')
    with pytest.raises(ValueError, match='nested more than'):
        parse_json(f'[[{deepest}]]', 'x')


def test_names_of_files_may_be_bytes() -> None:
    name = os.fsdecode(b'caf\xe9.jpg')
    assert parse_json(json.dumps([name]), 'x', file_names=True) == [name]
    with pytest.raises(ValueError, match='half of a character'):
        parse_json(r'["\ud800"]', 'x', file_names=True)


def test_logs_may_hold_numbers_that_are_not_finite() -> None:
    found = parse_json('[NaN, Infinity, 1e999, 1.5]', 'x', not_finite=True)
    assert str(found) == '[nan, inf, inf, 1.5]'


@pytest.mark.parametrize('content', [b'\xff\xfe{}', b'["\xed\xa0\x80"]', b' ' * 101])
def test_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'a.json'
    path.write_bytes(b'[1]')
    found: Any = read_json_file(path, limit=100)
    assert found == [1]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.json'):
        read_json_file(path, limit=100)
