"""The settings differ in their heads alone, and say what their names say."""

from __future__ import annotations

import pytest

from mochi_mm.experiments.suites import SUITES, Setting
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY

CASES = [(suite, data) for suite, found in SUITES.items() for data in found.data]


def config_of(setting: Setting) -> dict:
    config = load_config(REPOSITORY / setting.config, setting.options)
    check_config(config)
    return config.to_dict()


@pytest.mark.parametrize(('suite', 'data'), CASES)
def test_only_the_head_differs(suite: str, data: str) -> None:
    settings = SUITES[suite].data[data]
    configs = [config_of(setting) for setting in settings]
    heads = [config['model'].pop('head') for config in configs]
    assert all(config == configs[0] for config in configs)
    assert configs[0]['data_root'] == f'data/{data}'
    for setting, head in zip(settings, heads, strict=True):
        num = {mixer['type']: mixer['num'] for mixer in head.get('mixers', [])}
        assert setting.triple == (
            (head['num_hard'], num.get('PairMixing', 0), num.get('QueryMixing', 0)) if num else None
        )
        oracle = setting.role == 'oracle'
        assert head.get('oracle_loss', False) is oracle
        assert head.get('oracle_mix', False) is (oracle and bool(num))
        shared = ('memory', 'temperature')
        assert [head[name] for name in shared] == [heads[0][name] for name in shared]


@pytest.mark.parametrize(('suite', 'data'), CASES)
def test_what_the_issue_names_is_there(suite: str, data: str) -> None:
    settings = SUITES[suite].data[data]
    assert [s.role for s in settings] == ['untrained', 'baseline', *['mixing'] * 3, *['oracle'] * 2]
    by_name = {s.name: s for s in settings}
    assert len(by_name) == 7 and len({s.triple for s in settings[2:5]}) == 3
    assert [s.against for s in settings[2:5]] == ['mocov2'] * 3
    assert [s.against for s in settings[5:]] == ['mocov2', settings[2].name]
