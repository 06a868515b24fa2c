"""What a smoke run takes from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.config import load_config
from mochi_mm.launch.smoke import to_smoke
from tests.toy_runner import REPOSITORY
from tools import train

CONFIG = 'configs/mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py'


def test_the_work_dir_is_the_one_that_was_given(tmp_path: Path) -> None:
    config = load_config(REPOSITORY / CONFIG)
    assert to_smoke(config, str(tmp_path / 'mine')).work_dir == str(tmp_path / 'mine')
    made = Path(to_smoke(config).work_dir)
    assert made.name.startswith('mochi_mm_smoke_')
    made.rmdir()


@pytest.mark.parametrize('words', [['--launcher', 'pytorch'], ['--resume'], ['--resume', 'x.pth']])
def test_what_it_would_ignore_is_refused(words: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        train.parse_args([CONFIG, '--smoke', *words])
    assert ended.value.code == 2 and f'leave {words[0]} out' in capsys.readouterr().err


def test_lists_are_collected() -> None:
    args = train.parse_args(['c.py', '--allow-changed', 'dataset', '--allow-changed', 'weights'])
    assert args.allow_changed == ['dataset', 'weights']
