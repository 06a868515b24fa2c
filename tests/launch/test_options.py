"""Values of options keep the kind of what they replace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.launch.config import load_config
from mochi_mm.launch.options import parse_options, refuse_both

CONFIG = """
data_root = 'data'
load_from = None
interval = 3
enabled = False
share = 0.5
sync_bn = 'torch'
scale = (1, 2)
steps = [1]
train_cfg = dict(max_epochs=3)
model = dict(root='$data_root', split='train', interval='$interval', enabled='$enabled',
    share='$share', scale='$scale', steps='$steps')
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / 'config.py').write_text(CONFIG)
    return tmp_path / 'config.py'


@pytest.mark.parametrize(
    ('word', 'expected'),
    [
        ('data_root=/data/My Images (1)', '/data/My Images (1)'),
        ('data_root=/data/a,b', '/data/a,b'),
        ('data_root=2012', '2012'),
        ('data_root=1e5', '1e5'),
        ('data_root=007', '007'),
        ('data_root="[a]"', '[a]'),
        ('data_root=a, b', 'a, b'),
        ('data_root=', ''),
        ('data_root=None', None),
        ('data_root=[a,b]', ['a', 'b']),
        ('model.split=2012', '2012'),
        ('load_from=/data/a,b (2).pth', '/data/a,b (2).pth'),
        ('load_from=2012', '2012'),
        ('load_from=None', None),
        ('work_dir=2024', '2024'),
        ('experiment_name=007', '007'),
        ('sync_bn=False', False),
        ('interval=4', 4),
        ('share=1', 1),
        ('enabled=true', True),
        ('scale=3,4', (3, 4)),
        ('scale=[3,4]', (3, 4)),
        ('steps=(3,4)', [3, 4]),
        ('model.new=a b', 'a b'),
        ('model.new=[a b, c]', ['a b', 'c']),
        ('model.new=/a,b', '/a,b'),
        ('model.new=1,2', [1, 2]),
    ],
)
def test_values(path: Path, word: str, expected: Any) -> None:
    config = load_config(path, parse_options([word])).to_dict()
    for key in word.split('=')[0].split('.'):
        config = config[key]
    assert config == expected and type(config) is type(expected)


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        ('interval=ten', "'ten' is no number; expected one, such as the 3"),
        ('share=0,5x', 'no number|expected'),
        ('enabled=yes', 'expected True or False'),
        ('data_root.x=1', 'no setting .x. of its own'),
        ('=3', 'expected KEY=VALUE'),
        ('model', 'expected KEY=VALUE'),
        ('train_cfg.val_interval=2', 'no val_dataloader, so nothing is validated'),
    ],
)
def test_what_does_not_fit_is_named(path: Path, word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_config(path, parse_options([word]))


def test_options_that_are_no_words_are_left(path: Path) -> None:
    assert load_config(path, {'data_root': 3}).model.root == 3


def test_one_of_an_option_and_an_argument() -> None:
    refuse_both({'work_dir': 'a'}, {'work_dir': None, 'resume': '--resume'})
    with pytest.raises(ValueError, match='work_dir=a and --work-dir b both say'):
        refuse_both({'work_dir': 'a'}, {'work_dir': '--work-dir b'})
