"""The command: lists, patterns, one entry whole, nothing found, wrong words."""

from __future__ import annotations

import runpy
from collections.abc import Callable

import pytest

from tests.toy_runner import REPOSITORY

main: Callable[[list[str]], int] = runpy.run_path(str(REPOSITORY / 'tools/list.py'))['main']


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def test_lists_and_patterns(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[0] for line in printed(capsys)][1:] == [
        'methods',
        'configs',
        'components',
        'datasets',
        'tools',
    ]
    lines = printed(capsys, 'configs', 'SimCLR_*_cifar10*')
    assert [line.split()[0] for line in lines[1:]] == [
        'simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu',
        'simclr_resnet18_1xb512-cosine-1000e_cifar10',
    ]
    assert any('PairMixing' in line for line in printed(capsys, 'components', 'mixers'))
    assert any(line.startswith('MoCHi ') for line in printed(capsys, 'methods'))
    assert any(line.startswith('CIFAR-10 ') for line in printed(capsys, 'datasets', 'c*'))


def test_one_entry_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    text = '\n'.join(printed(capsys, 'configs', 'simclr_resnet18_1xb512-cosine-1000e_cifar10'))
    for title in ('paper', 'command', 'hardware', 'expected', 'measured'):
        assert f'\n{title} ' in text
    assert '  1 GPU; hours not yet measured' in text


def test_nothing_found_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['components', 'PairMixin']) == 1
    assert "nothing in components fits 'PairMixin'. Nearest: PairMixing" in capsys.readouterr().err


@pytest.mark.parametrize('words', [['model'], ['configs', '--write']])
def test_wrong_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2 and 'error: ' in capsys.readouterr().err
