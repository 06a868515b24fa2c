"""The plan and its suites say the same; what was recorded leads to what the plan goes on with."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mochi_mm.experiments import evidence_controls, evidence_law
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.findings_pages import read_recorded
from mochi_mm.experiments.suites import read_suite
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY

PAGE = (REPOSITORY / 'docs/evidence_plan.md').read_text(encoding='utf-8')
STAGES = ('stage0', 'stage1', 'stage2', 'controls')
PER_EPOCH = 35_000 // 128 * 128


def rows_of(section: str) -> dict[str, list[str]]:
    """Return the cells of each row of the table in a section of the page, by its first."""
    text = PAGE.partition(f'## {section}')[2].partition('\n## ')[0]
    rows = [line.strip('|').split('|') for line in text.splitlines() if line.startswith('| `')]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {re.findall('`(.+?)`', row[0])[0]: row[1:] for row in cells}


def test_regimes() -> None:
    expected = {
        name: [
            *(f'{x:g}' for x in (r.crop, r.jitter, r.gray, r.length)),
            'yes' if r.output_norm else 'no',
        ]
        for name, r in plan.REGIMES.items()
    }
    assert rows_of('Regime') == expected
    settings = read_suite('evidence_stage0').settings
    assert [(s.name, s.options) for s in settings] == [
        (name, regime.options()) for name, regime in plan.REGIMES.items()
    ]


def test_mixings() -> None:
    expected = {
        name: [str(n) for n in (m.hard, m.pairs, m.queries, m.skip)]
        for name, m in plan.MIXINGS.items()
    }
    assert rows_of('Choice') == expected
    for setting in read_suite('evidence_stage1').settings:
        head = load_config(REPOSITORY / setting.config, setting.options).model.head
        if setting.name == 'mocov2':
            assert 'mixing' not in head
            continue
        part, numbers = head.mixing, plan.MIXINGS[setting.name]
        counts = {mixer.type: mixer.num for mixer in part.mixers}
        found = (part.num_hard, counts['PairMixing'], counts.get('QueryMixing', 0), part.skip)
        assert found == (numbers.hard, numbers.pairs, numbers.queries, numbers.skip)
        assert part.start_epoch == 1 and setting.against == 'mocov2'


def test_controls() -> None:
    names = [s.name for s in evidence_controls.settings(plan.DATA)]
    listed = re.findall(r'^\| (`.+?) \|', PAGE.partition('## Controls')[2], re.M)
    assert names[2:] == [name for row in listed for name in re.findall('`(.+?)`', row)]
    assert names[1] == plan.CHOSEN_MIXING


def _values(**by_setting: list[float]) -> dict[str, dict[int, dict[str, float]]]:
    key = plan.LINEAR_TEST.key
    names = {name.replace('_', '-'): found for name, found in by_setting.items()}
    return {name: {s: {key: v} for s, v in enumerate(found)} for name, found in names.items()}


@pytest.mark.parametrize(
    ('gains', 'said'),
    [
        ([1.0, 1.2, 0.9], r'\*\*there is head-room\*\*: the oracle gains \+1.03 points'),
        ([0.1, 0.0, -0.1], r'next to no head-room.*below \+0.5; no verdict'),
        ([1.0, -1.0, 0.5], 'head-room is not known.*by its own interval'),
        ([1.0], 'fewer than two seeds'),
    ],
)
def test_what_is_said_of_head_room(gains: list[float], said: str) -> None:
    suite = read_suite('evidence_headroom')
    assert (
        suite.seeds == tuple(range(8)) and f'+{evidence_controls.LEAST_HEADROOM:g} points' in PAGE
    )
    values = _values(mocov2=[20.0] * len(gains), mocov2_oracle=[20.0 + gain for gain in gains])
    assert suite.more is not None
    (line,) = suite.more(REPOSITORY, {plan.DATA: values})
    assert re.search(said, line), line


def test_mochi_is_compared_with_each_control() -> None:
    values = _values(
        longer_queue=[20.0, 20.1], mocov2_oracle=[21.0, 21.0], mochi_oracle=[22.0, 22.2]
    )
    values.update(_values(mochi=[21.0, 21.2]))
    values[plan.CHOSEN_MIXING] = values.pop('mochi')
    queue, oracle = evidence_controls.partners(REPOSITORY, {plan.DATA: values})
    words = plan.MIXINGS[plan.CHOSEN_MIXING].words()
    assert f'of {words} less that of MoCo-v2, K 1' in queue and '+1.05' in queue
    assert 'less that of MoCo-v2 with the class oracle is +1.10' in oracle


def test_the_control_of_query_mixing_is_another_setting() -> None:
    for mix in plan.MIXINGS.values():
        name, other = evidence_controls._other_query(mix)
        assert other.total == mix.total and other != mix
        assert bool(other.queries) is (name == 'with-query-mixing') is not bool(mix.queries)


@pytest.mark.parametrize('stage', STAGES)
def test_lengths_and_images(stage: str) -> None:
    suite = read_suite(f'evidence_{stage}')
    pairs = f'{suite.epochs * PER_EPOCH:,} pairs'
    assert pairs in PAGE
    images = suite.images
    parts = [images.queries_per_class, images.final_per_class]
    assert parts == [50, 100] and images.held_out and images.per_class is None
    for name, number in (('train', 350), ('validation', 50), ('test', 100)):
        assert f'| {name} | {number} |' in PAGE


def test_stage_2_is_as_planned() -> None:
    suite = read_suite('evidence_stage2')
    assert suite.epochs * PER_EPOCH >= 700_000
    assert suite.seeds == tuple(range(8)) and 'Seeds 0 to 7' in PAGE
    assert not set(suite.seeds) & set(plan.PILOT_SEEDS)
    assert suite.compared[0] == 'fast_linear/top1 test'
    secondary = ['knn/top1_k20 test', 'transfer/cifar10', 'few_shot/top1_n10']
    assert list(suite.compared[1:]) == secondary
    looked = [key for key in suite.records[0].keys if key.startswith('knn/top1 at')]
    assert looked[-1] == 'knn/top1 at epoch 21' and len(looked) == suite.looks


def test_choosing_stages_never_see_the_test_part() -> None:
    for stage in ('stage0', 'stage1'):
        for measure in read_suite(f'evidence_{stage}').measures:
            assert getattr(measure, 'queries', 'query_dataloader') == 'query_dataloader'


@pytest.mark.parametrize('name', ['controls', 'controls_cifar10'])
def test_only_what_is_asked_differs_in_the_controls(name: str) -> None:
    suite = read_suite(f'evidence_{name}')
    found: dict[str, dict[str, Any]] = {}
    for setting in suite.settings:
        config = load_config(REPOSITORY / setting.config, {**suite.options, **setting.options})
        found[setting.name] = config.to_dict()['model']
    heads = {key: model.pop('head') for key, model in found.items()}
    assert all(model == found['mocov2'] for model in found.values())
    mix, base = plan.MIXINGS[plan.CHOSEN_MIXING], heads['mocov2']
    length = plan.REGIMES[plan.CHOSEN_REGIME].length
    assert base['memory']['length'] == length and base['temperature'] == 0.2
    assert heads['mocov2-oracle'] == dict(base, oracle_loss=True)
    oracles = dict(oracle_loss=True, oracle_mix=True)
    assert heads['mochi-oracle'] == dict(heads[plan.CHOSEN_MIXING], **oracles)
    if name == 'controls':
        assert heads['temperature-0.1'] == dict(base, temperature=0.1)
        assert heads['longer-queue']['memory']['length'] == length + mix.total
        for key in ('synco', 'no-query-mixing'):
            mixers = heads[key]['mixing']['mixers']
            total = sum(mixer['num'] for mixer in mixers)
            assert abs(total - mix.total) <= 6 and len(mixers) == (6 if key == 'synco' else 1)


def test_what_was_recorded_leads_to_what_the_plan_goes_on_with() -> None:
    for name, chosen in (
        ('evidence_stage0', plan.CHOSEN_REGIME),
        ('evidence_stage1', plan.CHOSEN_MIXING),
    ):
        stage = read_recorded(REPOSITORY / 'results/measured', name)
        assert stage.suite.more is not None
        last = stage.suite.more(REPOSITORY, {plan.DATA: stage.values(plan.DATA)})[-1]
        assert 'not finished' in last or last.startswith(f'**{chosen} is chosen**')


def test_worlds_of_the_law() -> None:
    suite = read_suite('evidence_law')
    assert evidence_law.CLASSES == (5, 10, 20, 50, 100)
    assert 'first 5, 10, 20, 50 or 100' in PAGE
    assert len(suite.settings) == 20
    for setting in suite.settings:
        config = load_config(REPOSITORY / setting.config, {**suite.options, **setting.options})
        classes = int(setting.name.split('-')[1])
        for loader in (config.train_dataloader, config.bank_dataloader, config.query_dataloader):
            assert loader.dataset.num_classes == classes
        assert config.train_dataloader.dataset.num_scenes == 12_800
        head = config.model.head
        assert ('mixing' in head) is setting.name.startswith('mochi')
        assert head.get('oracle_loss', False) is setting.name.endswith('oracle')
