"""What a base made from a name in Python follows a child or an option, or is an error."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.config import load_config
from mochi_mm.launch.config_uses import uses_in
from mochi_mm.launch.options import parse_options

ROOT = "root = '/base'\ntrain_dataloader = dict(dataset=dict(data_root={}))"
LENGTH = """
max_epochs = 200
train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs)]
"""
MODEL = 'n = 5\nmodel = dict(head=dict(num_classes={}))'
# What the base says, what the child says or an option sets, and the place that would stay.
LEFT = {
    'another key': (ROOT.format('root'), "root = '/new'", 'train_dataloader.dataset.data_root'),
    'sum': (
        "data_root = '/base'\ntrain_dataloader = dict(dataset=dict(data_root=data_root, "
        "ann_file=data_root + '/a.json'))",
        "data_root = '/new'",
        'train_dataloader.dataset.ann_file',
    ),
    'text with braces': (
        "data_root = '/base'\ntrain_dataloader = dict(dataset=dict(ann=f'{data_root}/a'))",
        "data_root = '/new'",
        'train_dataloader.dataset.ann',
    ),
    'schedule': (LENGTH, 'max_epochs = 2', 'param_scheduler.0.T_max'),
    'number': (MODEL.format('n'), 'n = 7', 'model.head.num_classes'),
    'twice it': (
        'batch_size = 32\ntrain_dataloader = dict(batch_size=batch_size)\n'
        'val_dataloader = dict(batch_size=batch_size * 2)',
        'batch_size = 64',
        'val_dataloader.batch_size',
    ),
    'comprehension': (
        'sizes = [1, 2]\nmodel = dict(scales=[dict(size=s) for s in sizes])',
        'sizes = [5]',
        'model.scales',
    ),
    'function': (
        'def head(c):\n    return dict(c=c)\nn = 5\nmodel = dict(head=head(n))\ndel head',
        'n = 7',
        'model.head',
    ),
    'unpacked': (
        'common = dict(a=1)\nmodel = dict(type="MoCo", **common)',
        'common = dict(a=2)',
        'model',
    ),
    'by a second name': (
        "root = '/base'\nann = root + '/a'\nmodel = dict(ann=ann)",
        "root = '/new'",
        'ann',
    ),
    'put in later': (
        "n = 5\nmodel = dict(head=dict())\nmodel['head']['num_classes'] = n",
        'n = 7',
        'model.head.num_classes',
    ),
    'condition': (
        "deep = False\nmodel = dict(type='MoCo')\nif deep:\n    model['depth'] = 50",
        'deep = True',
        'a part of the config',
    ),
    'call': ('n = 5\nmodel = dict(a=1)\nmodel.update(a=n)', 'n = 7', 'model'),
}


def write(folder: Path, base: str, child: str, middle: str = '') -> Path:
    (folder / 'base.py').write_text(base)
    (folder / 'middle.py').write_text(f"_base_ = './base.py'\n{middle}")
    (folder / 'child.py').write_text(f"_base_ = './middle.py'\n{child}")
    return folder / 'child.py'


@pytest.mark.parametrize('name', LEFT)
def test_a_child_or_an_option_that_would_leave_a_part_behind(tmp_path: Path, name: str) -> None:
    base, change, place = LEFT[name]
    with pytest.raises(ValueError, match=r'child\.py sets') as refusal:
        load_config(write(tmp_path, base, change))
    assert 'base.py, line ' in str(refusal.value) and f'had made {place}' in str(refusal.value)
    assert 'docs/configs.md' in str(refusal.value)
    key, value = change.split(' = ')
    option = {key: eval(value)}
    for path in (tmp_path / 'base.py', write(tmp_path, base, '')):
        with pytest.raises(ValueError, match=f'--cfg-options {key}: .*base.py') as refusal:
            load_config(path, option)
        assert f'had made {place}' in str(refusal.value)


@pytest.mark.parametrize('use', ['{{_base_.n}}', '_base_.n', '_base_.n + 1'])
def test_names_of_a_base(tmp_path: Path, use: str) -> None:
    middle = f'model = dict(head=dict(num_classes={use}))'
    path = write(tmp_path, 'n = 5', 'n = 7', middle)
    with pytest.raises(ValueError, match=r'middle\.py, line 2, had made model\.head\.num_classes'):
        load_config(path)
    path = write(tmp_path, 'n = 5', '', f'n = 7\n{middle}')  # it asked for the base's
    assert load_config(path).model.head.num_classes in (5, 6)


CHANGED = [
    (MODEL.format('n'), 'n = 7\nmodel = dict(head=dict(num_classes=7))', {}),
    (MODEL.format('n'), 'n = 7\nmodel = dict(head=dict(num_classes=n))', {}),
    (MODEL.format('n'), 'n = 7\nmodel = dict(head=dict(_delete_=True, type="A"))', {}),
    (MODEL.format("'$n'"), 'n = 7', {}),
    (MODEL.format('n'), 'n = 5', {}),
    (LENGTH, 'max_epochs = 2\nparam_scheduler = []', {}),
    (LENGTH, '', {'max_epochs': 2, 'param_scheduler.0.T_max': 2}),
    (LENGTH, '', {'max_epochs': 200}),
    ("root = '/base'\nann = root + '/a'\nmodel = dict(a=ann)", "root = '/n'\nann = 'b'\n", {}),
    (
        "root = '/base'\nann = root + '/a'\nmodel = dict(a=ann)",
        "root = '/n'\nmodel = dict(a='b')\n",
        {},
    ),
    ("root = '/base'\nunread = root + '/a'\nmodel = dict(a='$root')", "root = '/n'", {}),
]


@pytest.mark.parametrize(('base', 'change', 'options'), CHANGED)
def test_what_is_set_as_well_is_not_left_behind(
    tmp_path: Path, base: str, change: str, options: dict[str, Any]
) -> None:
    path = write(tmp_path, base, change)
    if 'ann = ' in base and 'ann = ' in change:  # that name was used in its turn
        with pytest.raises(ValueError, match=r'sets ann: .*had made model\.a'):
            load_config(path)
    else:
        load_config(path, options)


def test_a_copy_under_the_same_key_follows(tmp_path: Path) -> None:
    (tmp_path / 'base.py').write_text('size = 2\nmodel = dict(size=size)')
    assert load_config(tmp_path / 'base.py', parse_options(['size=3'])).model.size == 3
    (tmp_path / 'base.py').write_text("size = 2\nmodel = dict(size=size, other='$size')")
    with pytest.raises(ValueError, match=r'model\.size, which stays 2.*set model\.size as well'):
        load_config(tmp_path / 'base.py', {'size': 3})


def test_the_places_of_uses() -> None:
    text = (
        "a, b = [x, dict(k=y)], {'m': (z,), **w}\n"
        'for i in many:\n    c = [u for u in i]\n'
        "t: list = ['{{_base_.v}}/a', _base_['s']]\n"
        'def f(p):\n    return p + q\n'
        'model.update(r=1)\n'
    )
    found = {(use.name, use.place) for use in uses_in(ast.parse(text))}
    assert found == {
        ('x', ('a', '0')),
        ('y', ('a', '1', 'k')),
        ('z', ('b', 'm', '0')),
        ('w', ('b',)),
        ('many', ()),
        ('i', ('c',)),
        ('v', ('t', '0')),
        ('s', ('t', '1')),
        ('q', ()),
    }
