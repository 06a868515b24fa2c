"""Hooks of others are heard at every door: what was validated lies in the file and is resumed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from torch import Tensor

from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.engine.hooks.preemption_hook import EXIT_PREEMPTED
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import saved_in
from mochi_mm.launch.runner import build_runner
from mochi_mm.registry import HOOKS
from tests.engine.test_resume import run
from tests.engine.test_validation_left import config_of as validated_config
from tests.faults.test_preemption import assert_equal
from tests.ranks import run_ranks
from tests.toy_runner import runner_config, train

AVERAGES: dict[str, dict[str, Any]] = {
    'exponential': dict(momentum=0.2),
    'exponential, statistics too': dict(momentum=0.2, update_buffers=True),
    'every second step': dict(momentum=0.2, interval=2),
    'annealed': dict(ema_type='MomentumAnnealingEMA', gamma=4),
    'of all steps': dict(ema_type='StochasticWeightAverage'),
    'from iteration 4': dict(momentum=0.2, begin_iter=4),
    'from epoch 2': dict(momentum=0.2, begin_epoch=2),
}


@HOOKS.register_module(force=True)
class WatchHook(Hook):
    """Keeps the weights that each validation saw."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.seen: dict[int, dict[str, Tensor]] = {}

    def before_val_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        state = runner.model.state_dict()
        self.seen[runner.iter] = {name: value.clone() for name, value in state.items()}


def average(**settings: Any) -> dict[str, Any]:
    return dict(type='EMAHook', **settings)


def watched(runner: Any) -> dict[int, dict[str, Tensor]]:
    return next(hook for hook in runner.hooks if isinstance(hook, WatchHook)).seen


def hook_of(runner: Any, kind: type) -> Any:
    return next(hook for hook in runner.hooks if isinstance(hook, kind))


@pytest.mark.parametrize('name', AVERAGES)
def test_what_was_validated_lies_in_every_file(tmp_path: Path, name: str) -> None:
    """Ordinary and best ones, and the backbone beside them; in training it is the others."""
    config = validated_config(tmp_path, 'epochs')
    config.resume = False
    config.custom_hooks = [average(**AVERAGES[name]), dict(type='WatchHook')]
    runner = train(config)
    seen = watched(runner)
    assert set(seen) == {4, 8}
    entries = saved_in(tmp_path, best=True)
    assert {entry.path.name[:5] for entry in entries} == {'epoch', 'best_'}
    for entry in entries:
        content = read_checkpoint(entry.path)
        validated = seen[content['meta']['iter']]
        assert_equal(content['state_dict'], validated, entry.path.name)
        beside = entry.path.with_name(f'backbone_{entry.path.stem}.safetensors')
        if beside.exists():
            alone = read_checkpoint(beside)['state_dict']
            assert len(alone) > 50
            for key, value in alone.items():
                assert torch.equal(value, validated[f'backbone.{key}']), key
    last = read_checkpoint(tmp_path / 'epoch_2.pth')
    trained = {n.removeprefix('module.'): t for n, t in last['ema_state_dict'].items()}
    del trained['steps']
    assert_equal(trained, dict(runner.model.state_dict()), 'what goes on training')
    differs = name not in ('from iteration 4', 'from epoch 2')
    first = read_checkpoint(tmp_path / 'epoch_1.pth')
    raw = first['ema_state_dict']['module.neck.layers.0.weight']
    assert differs != torch.equal(raw, first['state_dict']['neck.layers.0.weight'])


@pytest.mark.parametrize('name', AVERAGES)
def test_a_signal_and_a_resume_change_no_bit(tmp_path: Path, name: str) -> None:
    """Weights, average, optimizer and schedules of a run of 12 iterations."""
    at = 2 if name.startswith('from') else 6

    def part(folder: Path, at: int = -1) -> Any:
        config = runner_config(folder, max_epochs=3)
        config.custom_hooks = [average(**AVERAGES[name]), dict(type='SignalHook', at=at)]
        config.resume, config.log_level = True, 'WARNING'
        run(config)

    part(tmp_path / 'straight')
    part(tmp_path / 'parts', at)
    assert (tmp_path / f'parts/iter_{at + 1}.pth').is_file()
    part(tmp_path / 'parts')
    first, second = (read_checkpoint(tmp_path / f / 'epoch_3.pth') for f in ('straight', 'parts'))
    for key in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(first[key], second[key], key)
    assert int(first['ema_state_dict']['steps']) > 0


def _rank_part(rank: int, folder: Path, at: int) -> None:
    torch.manual_seed(0)
    config = runner_config(folder, max_epochs=2)
    config.custom_hooks = [average(momentum=0.2), dict(type='SignalHook', at=at, rank=1)]
    config.model.update(batch_shuffle='shuffle', num_splits=None)
    config.train_dataloader.batch_size = 2
    config.resume, config.launcher = True, 'pytorch'
    config.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
    )
    runner = build_runner(config, 'pytorch')
    try:
        runner.train()
    except SystemExit as leaving:
        assert leaving.code == EXIT_PREEMPTED


def test_two_ranks(tmp_path: Path) -> None:
    run_ranks(_rank_part, 2, tmp_path / 'straight', -1)
    for at in (2, -1):
        run_ranks(_rank_part, 2, tmp_path / 'parts', at)
    assert (tmp_path / 'parts/iter_3.pth').is_file()
    first, second = (read_checkpoint(tmp_path / f / 'epoch_2.pth') for f in ('straight', 'parts'))
    for key in ('state_dict', 'ema_state_dict', 'optimizer', 'rank_buffers'):
        assert_equal(first[key], second[key], key)


@pytest.mark.parametrize('by', ['resume', 'restarted'])
def test_a_restart_by_a_launcher_is_a_resume(tmp_path: Path, by: str, monkeypatch: Any) -> None:
    """EMAHook asks the runner which of the two it is, and loads the average accordingly."""
    from mochi_mm.runs.start_record import note_start

    monkeypatch.setenv('MOCHI_MM_JOB', 'this')
    note_start(tmp_path)
    config = runner_config(tmp_path, max_epochs=1)
    config.custom_hooks = [average(momentum=0.2)]
    first = train(config)
    again = runner_config(tmp_path, max_epochs=2)
    again.custom_hooks = [average(momentum=0.2)]
    again[by] = True
    runner = build_runner(again)
    runner.train_loop, runner._has_loaded  # noqa: B018
    states: dict[str, Any] = {}

    class Look(Hook):
        priority = 'VERY_LOW'

        def before_train(self, runner: Any) -> None:
            ema = hook_of(runner, EMAHook).ema_model
            states.update(model=clone(runner.model), average=clone(ema.module))

    runner.register_hook(Look())
    runner.train()
    assert_equal(states['model'], clone(first.model), 'what goes on training')
    assert_equal(states['average'], clone(hook_of(first, EMAHook).ema_model.module), 'average')


def clone(module: Any) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_weights_alone_are_the_average(tmp_path: Path) -> None:
    """``load_from`` starts a new run: from what was validated, with a new average."""
    config = runner_config(tmp_path / 'a', max_epochs=1)
    config.custom_hooks = [average(momentum=0.2)]
    train(config)
    saved = read_checkpoint(tmp_path / 'a/epoch_1.pth')['state_dict']
    states: dict[str, Any] = {}

    class Look(Hook):
        priority = 'VERY_LOW'

        def before_train(self, runner: Any) -> None:
            ema = hook_of(runner, EMAHook).ema_model
            states.update(
                model=clone(runner.model), average=clone(ema.module), steps=int(ema.steps)
            )

    for resume in (False, 'auto'):  # the second finds nothing to resume
        config = runner_config(tmp_path / f'b{resume}', max_epochs=1)
        config.custom_hooks = [average(momentum=0.2)]
        config.load_from, config.resume = str(tmp_path / 'a/epoch_1.pth'), resume
        runner = build_runner(config)
        runner.register_hook(Look())
        runner.train()
        assert_equal(states['model'], saved, 'model')
        assert_equal(states['average'], saved, 'average')
        assert states['steps'] == 0


def test_an_average_may_not_come_or_go_unnoticed(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    config.custom_hooks = [average(momentum=0.2)]
    train(config)
    for hooks, message in [
        ([], r'hooks\.EMAHook\.type: EMAHook -> absent'),
        ([average(momentum=0.3)], r'hooks\.EMAHook\.momentum: 0\.2 -> 0\.3'),
    ]:
        config = runner_config(tmp_path, max_epochs=2)
        config.custom_hooks, config.resume = hooks, True
        with pytest.raises(ValueError, match=message):
            train(config)


def test_an_average_behind_the_save_is_refused(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    config.custom_hooks = [average(momentum=0.2, priority='LOWEST')]
    with pytest.raises(ValueError, match='EMAHook stands behind CheckpointHook'):
        train(config)


@HOOKS.register_module(force=True)
class ForeignHook(Hook):
    """Does ``what`` to a checkpoint that is saved, notes what it finds in one that is loaded."""

    def __init__(self, what: str = 'add') -> None:
        self.what, self.heard, self.found = what, 0, []

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        self.heard += 1
        name = 'neck.layers.0.weight'
        if self.what == 'add':
            checkpoint['foreign'] = dict(text='a', tensor=torch.arange(3), numbers=[1, (2.5, None)])
        elif self.what == 'change':
            checkpoint['state_dict'][name] = checkpoint['state_dict'][name] * 2
        elif self.what == 'drop':
            del checkpoint['state_dict'][name]
        elif self.what == 'in place':
            checkpoint['state_dict'][name].mul_(2)
        elif self.what == 'raise':
            raise KeyError('of the hook')
        elif self.what == 'disk':
            raise OSError(28, 'No space left on device')
        elif self.what == 'object':
            checkpoint['foreign'] = [dict(where=Path('x'))]
        elif self.what == 'nan':
            checkpoint['ema_state_dict'] = {'w': torch.tensor(math.nan)}
        elif self.what == 'everything':
            checkpoint.clear()

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        self.found.append(checkpoint.get('foreign'))
        name = 'neck.layers.0.weight'
        if self.what == 'change':
            checkpoint['state_dict'][name] = checkpoint['state_dict'][name] / 2


def foreign(folder: Path, what: str, epochs: int = 1) -> Any:
    config = runner_config(folder, max_epochs=epochs)
    config.custom_hooks = [dict(type='ForeignHook', what=what), dict(type='SignalHook')]
    config.resume, config.log_level = True, 'WARNING'
    return config


def test_what_a_hook_adds_comes_back(tmp_path: Path) -> None:
    assert hook_of(train(foreign(tmp_path, 'add')), ForeignHook).heard == 1
    found = hook_of(train(foreign(tmp_path, 'add', 2)), ForeignHook).found
    assert len(found) == 1 and found[0]['text'] == 'a' and found[0]['numbers'] == [1, (2.5, None)]
    assert torch.equal(found[0]['tensor'], torch.arange(3))


def test_what_a_hook_changes_is_what_is_written(tmp_path: Path) -> None:
    """And what it changes back is what goes on: the same bits as without it."""
    runner = train(foreign(tmp_path / 'a', 'change'))
    name = 'neck.layers.0.weight'
    saved = read_checkpoint(tmp_path / 'a/epoch_1.pth')['state_dict'][name]
    assert torch.equal(saved, 2 * runner.model.state_dict()[name])
    assert_equal(
        dict(train(foreign(tmp_path / 'a', 'change', 2)).model.state_dict()),
        dict(train(foreign(tmp_path / 'b', 'nothing', 2)).model.state_dict()),
        'model',
    )


def test_a_missing_weight_is_named_at_the_resume(tmp_path: Path) -> None:
    train(foreign(tmp_path, 'drop'))
    with pytest.raises(ValueError, match=r'1 weights of the model are missing.*neck\.layers\.0'):
        train(foreign(tmp_path, 'drop', 2))


@pytest.mark.parametrize(
    ('what', 'kind', 'message'),
    [
        ('raise', KeyError, 'of the hook'),
        ('disk', RuntimeError, 'ForeignHook.before_save_checkpoint failed, and nothing was saved'),
        ('in place', RuntimeError, r'wrote into state_dict\.neck\.layers\.0\.weight'),
        ('object', ValueError, r"checkpoint\['foreign'\]\[0\]\['where'\] is a pathlib"),
        ('nan', FloatingPointError, r'first ema_state_dict\.w'),
        ('everything', ValueError, 'has no meta, state_dict to write'),
    ],
)
def test_nothing_is_written_where_a_hook_spoils_it(
    tmp_path: Path, what: str, kind: Any, message: str
) -> None:
    """What was there before stays, whatever the door."""
    runner = train(foreign(tmp_path, 'add'))
    before = {path: path.read_bytes() for path in tmp_path.glob('*.*')}
    hook_of(runner, ForeignHook).what = what
    for door in ('epoch', 'best', 'runner', 'signal'):
        with pytest.raises(kind, match=message):
            through(door, runner)
        assert {path: path.read_bytes() for path in tmp_path.glob('*.*')} == before, door


def through(door: str, runner: Any) -> None:
    """Save a run that has been trained, the way that ``door`` does."""
    saver = hook_of(runner, CheckpointHook)
    if door == 'epoch':
        saver._save_or_wait(runner, 1, 4, 'epoch_1')
    elif door == 'signal':
        saver.save(runner, 1, 4, 'iter_4')
    elif door == 'best':
        saver.save_best, saver._training = 'm', True
        saver.after_val_epoch(runner, {'m': 1.0})
    else:
        runner.save_checkpoint(runner.work_dir, 'mine.pth')


@pytest.mark.parametrize('door', ['epoch', 'best', 'runner', 'signal'])
def test_every_door_does_the_same(tmp_path: Path, door: str) -> None:
    """The average in the file, a manifest and a backbone beside it, older ones gone."""
    config = runner_config(tmp_path, max_epochs=3)
    config.custom_hooks = [average(momentum=0.2), dict(type='ForeignHook')]
    config.default_hooks.checkpoint.max_keep_ckpts = 2
    runner = train(config)
    through(door, runner)
    names = dict(epoch='epoch_1', best='best_m_epoch_3', runner='mine', signal='iter_4')
    path = tmp_path / f'{names[door]}.pth'
    content = read_checkpoint(path)
    mean = hook_of(runner, EMAHook).ema_model.module.state_dict()
    assert_equal(content['state_dict'], dict(mean), 'state_dict')
    assert content['foreign']['text'] == 'a'
    assert json.loads(Path(f'{path}.json').read_text())['file'] == path.name
    alone = read_checkpoint(tmp_path / f'backbone_{path.stem}.safetensors')['state_dict']
    assert torch.equal(alone['conv1.weight'], mean['backbone.conv1.weight'])
    kept = {entry.path.name for entry in saved_in(tmp_path)}
    new = {path.name} if door in ('epoch', 'signal') else {'epoch_2.pth'}
    assert kept == {'epoch_3.pth', *new}


def test_the_runner_saves_what_it_is_asked_to(tmp_path: Path) -> None:
    runner = train(runner_config(tmp_path, max_epochs=1))
    runner.save_checkpoint(str(tmp_path / 'new/x'), 'a.pth', save_optimizer=False, meta=dict(a=1))
    content = read_checkpoint(tmp_path / 'new/x/a.pth')
    assert 'optimizer' not in content and 'param_schedulers' in content
    assert content['meta']['a'] == 1 and content['meta']['epoch'] == 2  # as in MMEngine: by_epoch
    with pytest.raises(ValueError, match='local folders'):
        runner.save_checkpoint(str(tmp_path), 'b.pth', backend_args=dict(backend='petrel'))


def test_a_test_hears_them_too(tmp_path: Path) -> None:
    """What is measured of a file is what was validated, to the bit."""
    config = validated_config(tmp_path, 'epochs')
    config.resume = False
    config.custom_hooks = [average(momentum=0.2), dict(type='ForeignHook')]
    curve = train(config).message_hub.get_scalar('val/m').data[0].tolist()
    config = validated_config(tmp_path / 'test', 'epochs')
    config.custom_hooks = [average(momentum=0.2), dict(type='ForeignHook')]
    config.test_dataloader, config.test_evaluator = config.val_dataloader, config.val_evaluator
    config.test_cfg = dict(type='TestLoop')
    for epoch, value in enumerate(curve, start=1):
        runner = build_runner(config)
        assert runner.test_from(str(tmp_path / f'epoch_{epoch}.pth')) == dict(m=value)
        assert [found['text'] for found in hook_of(runner, ForeignHook).found] == ['a']


def test_a_resumed_nan_is_named(tmp_path: Path) -> None:
    """Of a queue, of an averaged encoder and of an average."""
    config = foreign(tmp_path, 'add')
    config.custom_hooks.append(average(momentum=0.2))
    train(config)
    path = tmp_path / 'epoch_1.pth'
    for part, name in [
        ('state_dict', 'head.memory.features'),
        ('state_dict', 'key_encoder.backbone.conv1.weight'),
        ('ema_state_dict', 'module.neck.layers.0.weight'),
    ]:
        content = read_checkpoint(path)
        content[part][name].view(-1)[3] = math.nan
        torch.save(content, tmp_path / 'bad.pth')
        config = foreign(tmp_path, 'add', 2)
        config.custom_hooks.append(average(momentum=0.2))
        config.load_from = str(tmp_path / 'bad.pth')
        with pytest.raises(ValueError, match=rf'bad\.pth: .*{name} holds NaN or infinity'):
            train(config)
