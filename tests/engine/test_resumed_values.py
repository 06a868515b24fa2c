"""Values of a checkpoint that no run has written are refused by name, before any is taken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.engine.data_facts import data_changes
from mochi_mm.engine.resume import check_resume
from mochi_mm.engine.resumed_values import check_resumed
from mochi_mm.engine.run_settings import changes, optimizer_problem
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.models.memories import ClassBalancedQueue, FeatureQueue, Prototypes
from mochi_mm.runs.start_facts import differences
from tests.toy_runner import runner_config, train

INF, NAN, ESC = float('inf'), float('nan'), '\x1b[2J'


@pytest.fixture(scope='module')
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    """A runner at its end, and the checkpoint that it wrote."""
    folder = tmp_path_factory.mktemp('run')
    runner = train(runner_config(folder, max_epochs=1))
    return runner, read_checkpoint(folder / 'epoch_1.pth')


@pytest.fixture
def content(finished: tuple[Any, dict[str, Any]]) -> dict[str, Any]:
    return copy.deepcopy(finished[1])


GUARDED = dict(
    start=dict(rank=NAN),
    best={},
    neighbors=torch.tensor([[1], [0]]),
    images=2,
    best_epoch=0,
    stopped=-1,
)
INFO = {
    'starts': [5, [5], None, [{'version': [1]}], {}],
    'unreadable_samples': [
        *(5, [{}], ['x'], [INF]),
        *([{'size': 4, 'samples': samples}] for samples in (5, ['x'], [INF], [4], [-1], [True])),
        [{'size': -1, 'samples': []}],
    ],
    'non_finite_steps_left_out': ['x', INF, -(10**9), 1.5, True, None],
    'iteration_of_last_validation': ['x', -1],
    'best_score': ['x', NAN, INF, True],
    'best_of': [5, {'metric': []}],
    'online_probe': [5, [5], [torch.tensor([NAN])]],
    'representation_guard': [
        5,
        {},
        {'start': {}},
        GUARDED,
        {**GUARDED, 'start': {}, 'images': -1},
        {**GUARDED, 'start': {}, 'neighbors': torch.tensor([[2], [0]])},
    ],
    'frozen_backbone': [5, ESC, 'a' * 1000],
    'epoch': [-1, 1.5, 'x'],
    'iter': [-1, INF],
}
META = {
    'epoch': [-1, 1.5, INF, True, 'x', 2**70],
    'iter': [-1, 1.5, None],
    'seed': ['x', -1, 2**32],
}
RUN = {
    'epoch_length': [0, ESC],
    'world_size': [ESC, -1],
    'dataset': ['x' * 10**6],
    'optimizer': [ESC],
    'loop': [5],
    'settings': [[]],
}
TABLES = [(('message_hub', 'runtime_info'), INFO), (('meta',), META), (('meta', 'run'), RUN)]
CASES = [
    (keys, name, value)
    for keys, table in TABLES
    for name, values in table.items()
    for value in values
]


@pytest.mark.parametrize(('keys', 'name', 'value'), CASES)
def test_odd_values(
    finished: Any, content: dict[str, Any], keys: tuple[str, ...], name: str, value: Any
) -> None:
    part = content
    for key in keys:
        part = part[key]
    part[name] = value
    with pytest.raises(ValueError, match=rf'{".".join(keys)}\.{name} is .*; expected') as refusal:
        check_resumed(content, finished[0].model)
    assert str(refusal.value).isprintable() and len(str(refusal.value)) < 400


def test_what_a_run_writes(finished: Any, content: dict[str, Any]) -> None:
    assert check_resumed(content, finished[0].model) is None
    content['message_hub']['runtime_info'].update(
        unreadable_samples=[dict(size=4, samples=[3])], best_score=None, best_of=dict(images=3)
    )
    check_resumed(content, finished[0].model)


@pytest.mark.parametrize('part', ['runtime_info', 'log_scalars'])
def test_names_that_a_log_would_show(finished: Any, content: dict[str, Any], part: str) -> None:
    content['message_hub'][part][f'train/{ESC}'] = []
    with pytest.raises(ValueError, match=rf'{part} is .*expected names that can be printed'):
        check_resumed(content, finished[0].model)


def test_the_file_is_named(finished: Any, tmp_path: Path, content: dict[str, Any]) -> None:
    content['message_hub']['runtime_info']['starts'] = 5
    torch.save(content, tmp_path / 'odd.pth')
    with pytest.raises(ValueError, match=r'odd\.pth cannot be continued: message_hub.*starts is 5'):
        finished[0].resume(str(tmp_path / 'odd.pth'))


ODD_STATE: dict[str, tuple[Callable[[torch.Tensor], Any], str]] = {
    'pointer': (lambda t: t.fill_(10**6), 'pointer has values from 1000000'),
    'pointer below': (lambda t: t.fill_(-5), 'pointer has values from -5'),
    'count': (lambda t: t.fill_(10**9), 'count has values'),
    'labels': (lambda t: t.fill_(-2), 'labels has values from -2'),
    'indices': (lambda t: t.fill_(-2), 'indices has values from -2'),
    'features zero': (lambda t: t[3].zero_(), 'row 3 of length 0'),
    'features far': (lambda t: t[1].fill_(1e30), 'features has 1 rows that are no unit vectors'),
}


@pytest.mark.parametrize('name', ODD_STATE)
@pytest.mark.parametrize('kind', ['queue', 'balanced', 'prototypes'])
def test_odd_memories(kind: str, name: str) -> None:
    memory = {
        'queue': lambda: FeatureQueue(length=6, dim=4),
        'balanced': lambda: ClassBalancedQueue(num_classes=3, per_class=2, dim=4),
        'prototypes': lambda: Prototypes(length=6, dim=4),
    }[kind]()
    state = {f'memory.{key}': value.clone() for key, value in memory.state_dict().items()}
    memory.check_state(state, 'memory.')
    memory.check_state({key: value.bfloat16() for key, value in state.items() if 'feat' in key})
    change, message = ODD_STATE[name]
    key = f'memory.{name.split()[0]}'
    if key not in state or (kind == 'prototypes' and name == 'count'):
        return
    change(state[key])
    with pytest.raises(ValueError, match=rf'memory\..*{message}'):
        memory.check_state(state, 'memory.')


def test_odd_optimizers(finished: Any, content: dict[str, Any]) -> None:
    optimizer, saved = finished[0].optim_wrapper.optimizer, content['optimizer']
    assert optimizer_problem(optimizer, saved) is None
    group = saved['param_groups'][0]
    for name, value in dict(lr=-1.0, momentum=NAN, foreach='x', nesterov='yes').items():
        kept, group[name] = group[name], value
        assert optimizer_problem(optimizer, saved) == f'its optimizer has {name}={value!r}'
        group[name] = kept
    momentum = saved['state'][0]['momentum_buffer']
    momentum.view(-1)[0] = INF
    assert 'momentum_buffer' in str(optimizer_problem(optimizer, saved))
    saved['state'][0] = dict(exp_avg_sq=torch.full_like(momentum, -1.0))
    assert 'square below zero' in str(optimizer_problem(optimizer, saved))


def test_differences_are_short_and_can_be_printed(finished: Any, content: dict[str, Any]) -> None:
    run = content['meta']['run']
    run['settings'] |= {f'model.{ESC}': ESC, 'model.long': 'y' * 10**6}
    run['settings'] |= {f'model.x{i}': i for i in range(10**4)}
    with pytest.raises(ValueError, match=r'\[settings\] 9997 more') as refusal:
        check_resume(finished[0], content, 'a.pth', ())
    text = str(refusal.value)
    assert text.isprintable() and len(text) < 2000 and text.count('[settings]') == 6
    found = differences(dict(version=ESC, torch='t' * 10**6), dict(version='1', torch='2'))
    assert all(one.isprintable() and len(one) < 200 for one in found)
    facts = dict(images={ESC: 3, 'a': 'z' * 10**6}, files={ESC: 'x'})
    for one in data_changes(facts, dict(images={}, files={})):
        assert one.isprintable() and len(one) < 400


CHANGED = {
    'data_preprocessor.mean[0]': 0.0,
    'sync_bn': 'torch',
    'compile': True,
    'hooks.SetEpochHook.type': None,
    'hooks.KeyedRandomHook.type': None,
    'hooks.EMAUpdateHook.type': None,
}


@pytest.mark.parametrize('name', CHANGED)
def test_everything_that_a_step_computes_with(content: dict[str, Any], name: str) -> None:
    """What an earlier version did not write down is no difference."""
    before, now = content['meta']['run'], copy.deepcopy(content['meta']['run'])
    if name.startswith('hooks'):
        assert now['settings'].pop(name)
    else:
        now['settings'][name] = CHANGED[name]
    assert name in changes(before, now)['settings'][0]
    assert name in changes(now, before)['settings'][0]
    del before['compared']
    former = {key: v for key, v in before['settings'].items() if key not in CHANGED}
    assert not changes(dict(before, settings=former), dict(now, settings={**former, name: 'x'}))
