"""Configs as data: read without executing, flattened, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mochi_mm.runs.environment import parse_environment
from mochi_mm.runs.plain_config import differences, flatten, parse_config
from tests.visualization.report.toy import LOG


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / 'mark'
    text = f'a = open({str(mark)!r}, "w")\nb = dict(c=[1, dict(d=-2.5)], e=("x", None), **f())\n'
    settings = parse_config(text)
    assert settings == dict(
        a=f"open('{mark}', 'w')", b={'c': [1, {'d': -2.5}], 'e': ['x', None], '**': 'f()'}
    )
    assert not mark.exists()
    with pytest.raises(ValueError, match='cannot be read'):
        parse_config('a = (')


def test_a_dumped_config_comes_back(tmp_path: Path) -> None:
    settings = dict(
        model=dict(type='MoCo', head=dict(mixers=[dict(num=3), dict(num=-1)], rates=[0.1, 1e-9])),
        train=dict(betas=[0.9, 0.99], empty={}, nothing=[]),
    )
    path = tmp_path / 'config.py'
    Config(settings).dump(path)
    assert parse_config(path.read_text()) == settings


def test_differences() -> None:
    one = dict(a=dict(b=1, c=[1, 2]), mixers=[dict(num=3)], work_dir='x')
    two = dict(a=dict(b=2, c=[1, 2]), mixers=[], work_dir='y')
    assert flatten(one) == {
        'a.b': '1', 'a.c': '[1, 2]', 'mixers.0.num': '3', 'work_dir': "'x'"
    }  # fmt: skip
    assert differences([one, two]) == [
        ('a.b', ['1', '2']),
        ('mixers', [None, '[]']),
        ('mixers.0.num', ['3', None]),
    ]
    assert differences([one, one]) == [] and differences([one]) == []


def test_environment() -> None:
    assert parse_environment(LOG.format(engine='0.10')) == {
        'sys.platform': 'linux',
        'Python': '3.11.7',
        'MMEngine': '0.10',
        'seed': '0',
        'Distributed launcher': 'none',
    }
    assert parse_environment('nothing') == {}
