"""Tools that measure a checkpoint take no other weights, and say so."""

from __future__ import annotations

import runpy
from argparse import Namespace
from pathlib import Path

import pytest

from mochi_mm.launch.measured_config import CHOOSE_WEIGHTS, load_measured
from tests.toy_runner import REPOSITORY

BASE = """
load_from = '/of/the/training.pth'
checkpoint_key = 'teacher'
model = dict(type='MoCo')
custom_hooks = [dict(type='PretrainedHook')]
pretrained = 'none'
"""
FOLDER = REPOSITORY / 'tools'
TOOLS = [
    str(path.relative_to(FOLDER).with_suffix(''))
    for path in sorted(FOLDER.rglob('*.py'))
    if 'add_weights_options()' in path.read_text()
]
#: Tools with another command line, and what stands behind their config.
NAMED = {'embed': ['.'], 'dataset/near_duplicates': []}
BEHIND_OTHERS = {
    'search': 'encoder = named_encoder(args)',
    'analysis/doctor': 'load_measured(args',
}


@pytest.fixture
def args(tmp_path: Path) -> Namespace:
    (tmp_path / 'config.py').write_text(BASE)
    (tmp_path / 'a.pth').touch()
    return Namespace(
        config=str(tmp_path / 'config.py'), checkpoint=str(tmp_path / 'a.pth'), cfg_options=[]
    )


@pytest.mark.parametrize('name', CHOOSE_WEIGHTS)
def test_options_that_choose_weights_are_refused(args: Namespace, name: str) -> None:
    for checkpoint in (args.checkpoint, None):  # None: random weights alone
        args.checkpoint, args.cfg_options = checkpoint, [f'{name}=x']
        with pytest.raises(ValueError, match=f'{name} is not read here.*CHECKPOINT on the') as said:
            load_measured(args)
        assert '--checkpoint-key' not in str(said.value)
    args.checkpoint_key = None
    with pytest.raises(ValueError, match=r'\(and --checkpoint-key NAME\)'):
        load_measured(args)


def test_what_the_config_says_of_the_start_of_a_training_is_left_out(args: Namespace) -> None:
    config = load_measured(args)
    assert config.model.type == 'MoCo'
    assert not set(CHOOSE_WEIGHTS) & set(config.keys())


def test_a_tool_without_runs_has_no_work_dir(args: Namespace) -> None:
    args.cfg_options = ['work_dir=x']
    with pytest.raises(ValueError, match='work_dir is not read here: this tool keeps no run'):
        load_measured(args)
    args.work_dir = None
    assert load_measured(args).work_dir == 'x'


def test_a_checkpoint_that_is_not_there(args: Namespace) -> None:
    args.checkpoint += 'x'
    with pytest.raises(FileNotFoundError, match=r'no checkpoint at .*a\.pthx'):
        load_measured(args)


def test_the_tools_are_found() -> None:
    known = {'test', 'analysis/knn', 'analysis/linear_probe', 'analysis/analyze'}
    assert known < set(TOOLS)


@pytest.mark.parametrize('tool', [*TOOLS, 'analysis/show_detections'])
def test_every_tool_that_measures(args: Namespace, tool: str, tmp_path: Path) -> None:
    path = REPOSITORY / f'tools/{tool}.py'
    if tool in BEHIND_OTHERS:  # a run or an index is read before the config is
        assert BEHIND_OTHERS[tool] in path.read_text()
        return
    main = runpy.run_path(str(path))['main']
    line = [args.config, args.checkpoint]
    if tool in NAMED:
        line = [args.config, *NAMED[tool], '--checkpoint', args.checkpoint]
        line += ['--out', str(tmp_path / 'out.npz')]
    for name in ('checkpoint_key', 'load_from', 'pretrained', 'resume'):
        with pytest.raises(ValueError, match=f'{name} is not read here'):
            main([*line, '--cfg-options', f'{name}=x'])
