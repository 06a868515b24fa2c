"""--cfg-options: what is read, and what is refused with a word on how to say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.config import load_config, parse_options


@pytest.mark.parametrize(
    ('word', 'expected'),
    [
        ('a.b=1', 1),
        ('a=0.5', 0.5),
        ('a=True', True),
        ('a=None', None),
        ('a=', ''),
        ('a=[]', []),
        ('a=1,2', [1, 2]),
        ('a=[1,(2,x)]', [1, (2, 'x')]),
        ('a=x=y', 'x=y'),
        ('a=/data/run_{0}(1)', '/data/run_{0}(1)'),
        ('a=-1', -1),
    ],
)
def test_values(word: str, expected: Any) -> None:
    assert parse_options([word]) == {word.split('=')[0]: expected}


def test_several_words_and_none() -> None:
    assert parse_options([]) == {}
    assert parse_options(['a=1', 'b.c=x', 'a=2']) == {'a': 2, 'b.c': 'x'}


@pytest.mark.parametrize(
    'value',
    [
        "[dict(type='PairMixing',num=16)]",
        "dict(type='PairMixing')",
        "[{'type':'PairMixing','num':16}]",
        '{}',
        'f(1,2)',
        '[1,(2',
    ],
)
def test_dicts_calls_and_open_brackets_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r'model\.head\.mixers has the value') as found:
        parse_options(['a=1', f'model.head.mixers={value}'])
    text = str(found.value)
    assert repr(value) in text and 'mixers.0.num=16' in text and '_base_' in text


def test_what_the_error_says_works(tmp_path: Path) -> None:
    path = tmp_path / 'config.py'
    path.write_text("model = dict(head=dict(mixers=[dict(type='PairMixing', num=8)]))")
    config = load_config(path, parse_options(['model.head.mixers.0.num=16']))
    assert config.model.head.mixers[0] == dict(type='PairMixing', num=16)
