"""A suite that contradicts itself is refused when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.setting import Setting
from tests.experiments.toy import two_settings

A, B = Setting('a', 'A', 'a.py'), Setting('b', 'B', 'b.py', 'cifar10', against='a')
FROM_A = Setting('c', 'C', 'c.py', start='a')


@pytest.mark.parametrize(
    ('changes', 'problem'),
    [
        (dict(settings=[A, A]), 'two settings have one name'),
        (dict(settings=[A, B]), "b is compared with 'a', which is none of a, b"),
        (dict(compared=['nothing']), "no figure has the key 'nothing'"),
        (dict(claims=[Claim('', 'loss', 1, 'words', 'source')]), "no figure has the key 'loss'"),
        (dict(settings=[Setting('b', 'B', 'b.py', start='b')]), "b starts from 'b'; .*: none"),
        (
            dict(settings=[Setting('a', 'A', 'a.py', role='untrained'), FROM_A]),
            "c starts from 'a'; .* trained and stands before it: none",
        ),
        (dict(seeds=(1, 1)), r'seeds \(1, 1\)'),
        (dict(epochs=0), 'epochs 0'),
        (dict(looks=0), 'looks 0'),
    ],
)
def test_contradictions(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f'^Two: .*{problem}'):
        two_settings(**changes)


@pytest.mark.parametrize('longer', [0.0, -1.0, float('nan'), float('inf')])
def test_a_run_of_no_length(longer: float) -> None:
    with pytest.raises(ValueError, match=f'^a: longer={longer}; expected a number above 0'):
        Setting('a', 'A', 'a.py', longer=longer)


def test_settings_from_names_of_configs(tmp_path: Path) -> None:
    folder = tmp_path / 'configs/one'
    folder.mkdir(parents=True)
    for name in ('y_net_small.py', 'x_net_small.py', 'x_net_large.py'):
        (folder / name).touch()
    suite = two_settings(configs='*small.py', configs_data='images')
    found = suite.settings_in(tmp_path)
    assert [s.name for s in found] == ['a', 'b', 'x', 'y']
    assert (found[2].config, found[2].data) == ('configs/one/x_net_small.py', 'images')
    with pytest.raises(FileNotFoundError, match='no config .*other'):
        two_settings(configs='*other.py').settings_in(tmp_path)


def test_two_configs_of_one_name_are_refused(tmp_path: Path) -> None:
    """One run would overwrite the other."""
    folder = tmp_path / 'configs/one'
    folder.mkdir(parents=True)
    for name in ('x_net_small.py', 'x_net_longer_small.py'):
        (folder / name).touch()
    with pytest.raises(ValueError, match=r"x_net_small\.py are both called 'x' in"):
        two_settings(configs='*small.py', configs_data='images').settings_in(tmp_path)
