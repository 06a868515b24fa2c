"""The suites of the project: each is read, and says what its name says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite
from mochi_mm.experiments.suites import read_suite, suite_names
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY

EVIDENCE = [
    ('evidence_cpu', 'cifar10'),
    ('evidence_cuda', 'cifar10'),
    ('evidence_cuda', 'tiny_imagenet100'),
]


def settings_of(suite: str, data: str) -> list[Setting]:
    return [s for s in read_suite(suite).settings if s.data == data]


@pytest.mark.parametrize('name', suite_names())
def test_every_setting_has_a_config_that_fits(name: str) -> None:
    suite = read_suite(name)
    assert len(suite_names()[name]) > 20
    for setting in suite.settings_in(REPOSITORY):
        config = load_config(REPOSITORY / setting.config, {**suite.options, **setting.options})
        check_config(config)
        assert ('data_root' in config) is bool(setting.data)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="no suite 'os'; there are .*evidence_cpu, evidence_cuda"):
        read_suite('os')


@pytest.mark.parametrize(('suite', 'data'), EVIDENCE)
def test_only_the_head_differs(suite: str, data: str) -> None:
    settings = settings_of(suite, data)
    configs = [load_config(REPOSITORY / s.config, s.options).to_dict() for s in settings]
    heads = [config['model'].pop('head') for config in configs]
    assert all(config == configs[0] for config in configs)
    assert configs[0]['data_root'] == f'data/{data}'
    for setting, head in zip(settings, heads, strict=True):
        num = {mixer['type']: mixer['num'] for mixer in head.get('mixers', [])}
        if num:
            triple = (head['num_hard'], num.get('PairMixing', 0), num.get('QueryMixing', 0))
            assert setting.title.startswith(f'MoCHi {triple}')
            assert setting.name.startswith('mochi-{}-{}-{}'.format(*triple))
        else:
            assert 'mochi' not in setting.name
        oracle = setting.role == 'oracle'
        assert head.get('oracle_loss', False) is oracle
        assert head.get('oracle_mix', False) is (oracle and bool(num))
        shared = ('memory', 'temperature')
        assert [head[name] for name in shared] == [heads[0][name] for name in shared]


@pytest.mark.parametrize(('suite', 'data'), EVIDENCE)
def test_the_evidence_has_its_seven_settings(suite: str, data: str) -> None:
    settings = settings_of(suite, data)
    assert [s.role for s in settings] == ['untrained', 'baseline', *['mixing'] * 3, *['oracle'] * 2]
    assert len({s.title for s in settings}) == 7
    assert [s.against for s in settings[2:5]] == ['mocov2'] * 3
    assert [s.against for s in settings[5:]] == ['mocov2', settings[2].name]


def test_every_method_has_a_config_in_each_suite_of_the_family() -> None:
    found = {
        name: {s.name: s for s in read_suite(name).settings_in(REPOSITORY)}
        for name in ('family_cifar10', 'family_coloured')
    }
    wanted = {'simclr', 'supcon', 'dcl', 'dclw', 'supinfonce', 'mocov2'}
    assert wanted <= set(found['family_cifar10'])
    assert {'supcon', 'supcon-fairkl'} <= set(found['family_coloured'])
    assert found['family_cifar10']['cmc'].config.startswith('configs/cmc/cmc_')


def test_the_class_oracle_is_no_method_of_the_family() -> None:
    """It sees labels: its configs end in -oracle, which the suite's pattern leaves out."""
    settings = read_suite('family_cifar10').settings_in(REPOSITORY)
    assert [setting.config for setting in settings if 'oracle' in setting.config] == []
    assert len(list((REPOSITORY / 'configs').glob('*/*cifar10-cpu-oracle.py'))) == 2


def test_nothing_but_the_estimate_differs_from_simclr() -> None:
    settings = settings_of('negatives_cifar10', 'cifar10')
    configs = [load_config(REPOSITORY / s.config, s.options).to_dict() for s in settings]
    estimates = [config['model']['head'].pop('negatives') for config in configs]
    assert all(config == configs[0] for config in configs)
    plain = load_config(
        REPOSITORY / 'configs/simclr' / Path(settings[0].config).name.replace('debiased', 'simclr')
    ).to_dict()
    plain['model']['head']['temperature'] = 0.5
    assert plain == configs[0]
    found = [(part['beta'], part['tau_plus']) for part in estimates]
    assert found[:2] == [(0, 0), (0, 0)] and len(set(found[1:])) == 8
    assert [setting.against for setting in settings] == ['', ''] + ['simclr'] * 7


def test_every_strength_compares_two_objectives_on_the_same_views() -> None:
    _, *settings = settings_of('augmentation_cifar10', 'cifar10')
    configs = [load_config(REPOSITORY / s.config, s.options).to_dict() for s in settings]
    heads = [config['model'].pop('head')['type'] for config in configs]
    assert heads == ['KeyBatchHead', 'SkewRenyiHead'] * 4
    views = []
    for (infonce, renyi), pair in zip(batched(settings), batched(configs), strict=True):
        assert pair[0] == pair[1]
        assert renyi.against == infonce.name and infonce.against == ''
        assert renyi.name.split('-')[1] == infonce.name.split('-')[1]
        recipes = pair[0]['train_dataloader']['dataset']['pipeline'][0]['transforms']
        views.append([transform['type'] for transform in recipes[0]])
    assert all(set(weaker) < set(harder) for weaker, harder in pairwise(views))


def batched(values: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(values[::2], values[1::2], strict=True))


def test_the_suite_in_the_documentation_is_one() -> None:
    text = (REPOSITORY / 'docs/evaluation.md').read_text(encoding='utf-8')
    block = text.partition('### A suite of your own')[2].split('```')[1].removeprefix('python\n')
    found: dict[str, Any] = {}
    exec(compile(block, 'docs/evaluation.md', 'exec'), found)
    suite: Suite = found['SUITE']
    assert [setting.against for setting in suite.settings] == ['', 't0.2', 't0.2']
    for setting in suite.settings:
        check_config(load_config(REPOSITORY / setting.config, setting.options))


def test_the_settings_of_the_long_tail_differ_in_the_method_alone() -> None:
    """Images, budget, rate and backbone are the same; one view or two is the method's."""
    suite = read_suite('long_tail_cifar10')
    configs = {s.name: load_config(REPOSITORY / s.config).to_dict() for s in suite.settings}
    for config in configs.values():
        first = configs['cross-entropy']
        assert config['model']['backbone'] == first['model']['backbone']
        for name in ('train_images', 'optim_wrapper', 'param_scheduler', 'query_dataloader'):
            assert config[name] == first[name], name
        assert config['cuts'] == (1000, 200) == suite.measures[0].cuts
        assert config['train_dataloader']['batch_size'] == 128
    assert [s.against for s in suite.settings] == ['', *['cross-entropy'] * 6]
    assert len(suite.seeds) == 3


def test_alpha_is_chosen_at_the_budget_of_the_test_without_its_seeds_or_images() -> None:
    test, choice = read_suite('long_tail_cifar10'), read_suite('long_tail_alpha')
    tested = {
        s.name: load_config(REPOSITORY / s.config, s.options).to_dict() for s in test.settings
    }
    assert choice.epochs == test.epochs and not set(choice.seeds) & set(test.seeds)
    assert choice.images.held_out
    for setting in choice.settings:
        method, alpha = setting.name.split('-')
        config = load_config(REPOSITORY / setting.config, setting.options).to_dict()
        assert config['model']['head'].pop('alpha') == float(alpha)
        expected = {k: v for k, v in tested[method]['model']['head'].items() if k != 'alpha'}
        assert config['model']['head'] == expected
        assert config['optim_wrapper'] == tested[method]['optim_wrapper']


def test_wrong_labels_change_the_training_labels_alone() -> None:
    settings = {s.name: s for s in read_suite('esupcon_cifar10').settings}
    for name in ('cross-entropy', 'supcon', 'esupcon'):
        clean, noisy = (
            load_config(REPOSITORY / settings[key].config).to_dict()
            for key in (name, f'{name}-noise40')
        )
        assert clean['model'] == noisy['model'] and clean['optim_wrapper'] == noisy['optim_wrapper']
        assert clean['query_dataloader'] == noisy['query_dataloader']
        for loader in ('train_dataloader', 'bank_dataloader'):
            wrapped = noisy[loader].pop('dataset')
            inner = clean[loader].pop('dataset')
            assert wrapped['type'] == 'NoisyLabels' and wrapped['share'] == 0.4
            assert wrapped['dataset'] == {k: v for k, v in inner.items() if k != 'pipeline'}
            assert wrapped['pipeline'] == inner['pipeline'] and clean[loader] == noisy[loader]


def test_many_crops_are_all_that_differs_from_two() -> None:
    suite = read_suite('multi_crop_cifar10')
    configs = {
        s.name: load_config(REPOSITORY / s.config, s.options).to_dict() for s in suite.settings
    }
    for method in ('simclr', 'mocov2'):
        two, many = configs[method], configs[f'{method}-multi-crop']
        assert many['large_pipeline'][0]['size'] == two['view_pipeline'][0]['size'] == 24
        assert many['train_dataloader']['dataset']['pipeline'][0]['num_views'] == [2, 4]
        for part in ('optim_wrapper', 'param_scheduler', 'bank_dataloader'):
            assert many[part] == two[part], (method, part)
        views = ('num_views', 'online_views', 'target_views')
        for config in (two, many):
            config['model'] = {k: v for k, v in config['model'].items() if k not in views}
        assert many['model'] == two['model']


def test_robustness_compares_on_the_same_views_network_and_budget() -> None:
    suite = read_suite('robustness_cifar10')
    assert suite.seeds == (0, 1, 2) and suite.more is not None
    configs = {
        s.name: load_config(REPOSITORY / s.config, s.options).to_dict() for s in suite.settings
    }
    assert list(configs) == [
        'supervised',
        'simclr',
        'supcon',
        'removal-oracle',
        'removal-threshold',
        'rocl',
        'acl',
    ]
    for name, config in configs.items():
        for part in ('train_dataloader', 'optim_wrapper', 'param_scheduler', 'view_pipeline'):
            assert config[part] == configs['simclr'][part], (name, part)
        assert config['model']['backbone'] == configs['simclr']['model']['backbone']
    heads = {name: config['model']['head'] for name, config in configs.items()}
    assert {**heads['simclr'], 'removal': heads['removal-oracle']['removal']} == heads[
        'removal-oracle'
    ]
    assert heads['removal-threshold'].pop('removal')['rule'] == 'threshold'
    assert heads['removal-threshold'] == heads['rocl'] == heads['acl'] == heads['simclr']
