"""--smoke says nothing of its own few images, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mochi_mm.launch.config import load_config
from mochi_mm.launch.smoke import to_smoke
from tests.forked import Done, run_tool
from tools import train

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


def smoke(tmp_path: Path, *words: str) -> tuple[Done, list[str]]:
    """Run tools/train.py --smoke with a temporary folder of its own; return what is left there."""
    temporary = tmp_path / 'tmp'
    temporary.mkdir()
    done = run_tool('train.py', CONFIG, '--smoke', *words, folder=tmp_path, TMPDIR=str(temporary))
    left = [path.name for path in temporary.iterdir() if path.name.startswith('mochi_mm')]
    return done, left


def test_no_warning_and_no_folder(tmp_path: Path) -> None:
    done, left = smoke(tmp_path)
    assert done.returncode == 0 and 'smoke run passed' in done.stdout
    assert 'WARNING' not in done.stdout + done.stderr
    assert left == []
    assert [path.name for path in tmp_path.iterdir()] == ['tmp']


def test_a_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    done, left = smoke(tmp_path, '--cfg-options', 'model.neck.in_channels=3')
    assert done.returncode != 0 and left == []


@pytest.mark.parametrize('inside', [True, False])
def test_several_folders_become_scenes(inside: bool) -> None:
    """The transforms stand once, or in each data set."""
    config = load_config(CONFIG)
    pipeline = config.train_dataloader.dataset.pipeline
    part = dict(
        type='ImageFolder', data_root='/nowhere', **(dict(pipeline=pipeline) if inside else {})
    )
    whole = dict(type='ConcatDataset', datasets=[part, part])
    config.train_dataloader.dataset = whole if inside else dict(whole, pipeline=pipeline)
    config.train_dataloader.timeout = 600
    loader = to_smoke(config).train_dataloader
    assert loader.dataset == dict(type='ShapeScenes', num_scenes=8, pipeline=pipeline)
    assert 'timeout' not in loader


def test_the_hook_is_told_in_either_list() -> None:
    hooks = dict(default_hooks=dict(check=dict(type='mochi_mm.RunCheckHook'), other=None))
    config = to_smoke(Config(dict(hooks, custom_hooks=[dict(type='RunCheckHook')])))
    assert config.default_hooks.check.memory is config.custom_hooks[0].memory is False


def test_the_work_dir_is_the_one_that_was_given(tmp_path: Path) -> None:
    config = load_config(CONFIG)
    assert to_smoke(config, str(tmp_path / 'mine')).work_dir == str(tmp_path / 'mine')
    made = Path(to_smoke(config).work_dir)
    assert made.name.startswith('mochi_mm_smoke_')
    made.rmdir()


@pytest.mark.parametrize('words', [['--launcher', 'pytorch'], ['--resume'], ['--resume', 'x.pth']])
def test_what_it_would_ignore_is_refused(words: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        train.parse_args([str(CONFIG), '--smoke', *words])
    assert ended.value.code == 2 and f'leave {words[0]} out' in capsys.readouterr().err


def test_what_may_differ_from_nothing_is_refused() -> None:
    """Only a run that is resumed has something to differ from."""
    words = [str(CONFIG), '--allow-changed', 'dataset']
    with pytest.raises(ValueError, match='--allow-changed dataset says.*expected --resume beside'):
        train.read_config(train.parse_args(words))
    for more in (['--resume'], ['--cfg-options', 'resume=True']):
        train.read_config(train.parse_args([*words, *more]))


def test_lists_are_collected() -> None:
    args = train.parse_args(['c.py', '--allow-changed', 'dataset', '--allow-changed', 'weights'])
    assert args.allow_changed == ['dataset', 'weights']
