"""An interrupted run equals the straight one to the bit, or is refused."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.engine.hooks.preemption_hook import EXIT_PREEMPTED
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.registry import HOOKS
from tests.faults.test_preemption import assert_equal
from tests.ranks import run_ranks
from tests.toy_runner import runner_config, train

ITERATIONS = 12


@HOOKS.register_module(force=True)
class SignalHook(Hook):
    """Sends this process a signal in the middle of an iteration; keeps digests of the inputs."""

    priority = 'HIGH'

    def __init__(self, at: int = -1, rank: int = 0) -> None:
        self.at, self.rank = at, rank
        self.inputs: list[str] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        from mochi_mm.engine.run_state import digest

        samples = data_batch['data_samples']['sample_idx'].tolist()
        views = [digest(view) for view in torch.cat(data_batch['inputs'])]
        self.inputs.append(json.dumps([samples, views]))
        if runner.iter == self.at and runner.rank == self.rank:
            os.kill(os.getpid(), signal.SIGTERM)


def config_of(folder: Path, kind: str, at: int = -1, rank: int = 0, **loader: Any) -> Any:
    """A run of 12 iterations; ``kind`` is epochs, iterations or accumulated (3 of them)."""
    config = runner_config(folder, max_epochs=3)
    config.default_hooks.checkpoint.interval = 100
    config.custom_hooks = [dict(type='SignalHook', at=at, rank=rank)]
    config.train_dataloader.update(loader)
    config.resume, config.log_level = True, 'WARNING'
    config.experiment_name = f'{folder.name}_{at}_{kind}_{id(config)}'
    if kind == 'iterations':
        config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=ITERATIONS)
        config.train_dataloader.sampler = dict(type='KeyedSampler', infinite=True)
        config.param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False)]
    if kind == 'accumulated':
        config.optim_wrapper.accumulative_counts = 3
    return config


def run(config: Any) -> list[str]:
    """Train, to the end or to the signal; return the digests of what was consumed."""
    from mochi_mm.launch.runner import build_runner

    torch.set_num_threads(1)
    torch.manual_seed(0)
    runner = build_runner(config)
    try:
        runner.train()
    except SystemExit as leaving:
        assert leaving.code == EXIT_PREEMPTED
    return next(h for h in runner.hooks if isinstance(h, SignalHook)).inputs


def assert_same_run(a: Path, b: Path) -> None:
    first, second = (read_checkpoint(newest_valid(folder)[0]) for folder in (a, b))
    assert first['meta']['iter'] == second['meta']['iter']
    for part in ('state_dict', 'optimizer', 'param_schedulers', 'rank_buffers'):
        assert_equal(first[part], second[part], part)
    curves = [content['message_hub']['log_scalars'] for content in (first, second)]
    for name in curves[0]:
        if 'time' not in name:
            assert_equal(curves[0][name], curves[1][name], name)


# What the three parts of the run load with: (workers, kept between epochs).
LOADERS = [
    ((0, False), (0, False), (0, False)),
    ((2, False), (2, False), (2, False)),
    ((2, True), (2, True), (2, True)),
    ((0, False), (2, True), (1, False)),
]


@pytest.fixture(scope='module', params=['epochs', 'iterations', 'accumulated'])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, list[str]]:
    """A run that nothing interrupted: its kind, its folder, the digests of what it consumed."""
    folder = tmp_path_factory.mktemp(request.param) / 'straight'
    return request.param, folder, run(config_of(folder, request.param))


@pytest.mark.parametrize('loaders', LOADERS, ids=str)
def test_two_interruptions_change_nothing(
    tmp_path: Path, whole: tuple[str, Path, list[str]], loaders: Any
) -> None:
    kind, folder, straight = whole
    parts = []
    for (workers, persistent), at in zip(loaders, (2, 6, -1), strict=True):
        loader = dict(num_workers=workers, persistent_workers=persistent)
        parts.append(run(config_of(tmp_path / 'parts', kind, at, **loader)))
    if kind != 'accumulated':  # which goes on to the optimizer's next step
        assert [len(part) for part in parts] == [3, 4, 5]
    assert [line for part in parts for line in part] == straight and len(straight) == ITERATIONS
    assert_same_run(folder, tmp_path / 'parts')


@pytest.mark.parametrize('at', [4, 9])
def test_an_interruption_in_a_smaller_last_batch(tmp_path: Path, at: int) -> None:
    """18 samples in batches of 4: the last of the 5 iterations of an epoch has two."""

    def part(folder: Path, at: int = -1) -> list[str]:
        config = config_of(folder, 'epochs', at, drop_last=False)
        config.train_dataloader.dataset.size = 18
        return run(config)

    straight = part(tmp_path / 'straight')
    parts = part(tmp_path / 'parts', at) + part(tmp_path / 'parts')
    assert parts == straight and len(straight) == 15
    assert_same_run(tmp_path / 'straight', tmp_path / 'parts')


def test_no_draw_is_repeated_between_epochs(tmp_path: Path) -> None:
    """Each sample is seen three times; no view of it comes twice (the engine: all of them)."""
    inputs = run(config_of(tmp_path, 'epochs', num_workers=2, persistent_workers=False))
    views = [view for line in inputs for view in json.loads(line)[1]]
    assert len(views) == len(set(views)) == 3 * 16 * 2


def test_consumed_samples_are_not_read_again(tmp_path: Path, monkeypatch: Any) -> None:
    from tests.toy_runner import NoiseImages

    run(config_of(tmp_path, 'epochs', at=6))
    read: list[int] = []
    image = NoiseImages.image
    monkeypatch.setattr(NoiseImages, 'image', lambda self, i: (read.append(i), image(self, i))[1])
    run(config_of(tmp_path, 'epochs'))
    assert len(read) == 5 * 4


def _rank_run(rank: int, folder: str, parts: list[int]) -> list[dict[str, torch.Tensor]]:
    buffers = []
    for at in parts:
        from mochi_mm.launch.runner import build_runner

        torch.manual_seed(0)
        config = config_of(Path(folder), 'epochs', at, rank=1, num_workers=0)
        config.model.update(batch_shuffle='shuffle', num_splits=None)
        config.train_dataloader.batch_size = 2
        config.launcher = 'pytorch'
        config.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
        )
        config.experiment_name = f'{Path(folder).name}_{at}'
        runner = build_runner(config, 'pytorch')
        try:
            runner.train()
        except SystemExit as leaving:
            assert leaving.code == EXIT_PREEMPTED
        buffers.append({n: t.clone() for n, t in runner.model.state_dict().items()})
    return buffers[-1]


def test_two_ranks(tmp_path: Path) -> None:
    """One rank is told to leave: both do, behind the same step; each gets its statistics back."""
    straight = run_ranks(_rank_run, 2, str(tmp_path / 'straight'), [-1])
    parts = run_ranks(_rank_run, 2, str(tmp_path / 'parts'), [5, -1])
    for a, b in zip(straight, parts, strict=True):
        assert_equal(a, b, 'model')
    differing = [n for n in straight[0] if not torch.equal(straight[0][n], straight[1][n])]
    assert differing and all('running' in name for name in differing)
    assert_same_run(tmp_path / 'straight', tmp_path / 'parts')


def test_nothing_to_resume_is_said(tmp_path: Path, capsys: Any) -> None:
    train(config_of(tmp_path, 'epochs'))
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'no checkpoint in' in log and 'training starts from the beginning' in log


def rates(runner: Any) -> list[float]:
    return runner.message_hub.get_scalar('train/lr').data[0].tolist()


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize('stop', [5, 7])
def test_a_raised_number_of_epochs_follows_its_own_schedule(
    tmp_path: Path, by_epoch: bool, stop: int
) -> None:
    """From where it goes on, the rate is that of a run which was that long from the start."""

    def config(folder: Path, epochs: int, at: int = -1) -> Any:
        made = config_of(folder, 'epochs', at)
        made.train_cfg.max_epochs = epochs
        made.param_scheduler = [
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=3),
            dict(type='CosineAnnealingLR', by_epoch=by_epoch, begin=0 if by_epoch else 3),
        ]
        return made

    whole = rates(train(config(tmp_path / 'long', 6)))
    run(config(tmp_path / 'parts', 3, at=stop))
    resumed = rates(train(config(tmp_path / 'parts', 6)))
    assert resumed[stop + 1 :] == whole[stop + 1 :]
    assert len(set(resumed)) > 5


def test_the_seed_of_chance_is_kept(tmp_path: Path) -> None:
    def config(at: int = -1) -> Any:
        made = config_of(tmp_path, 'epochs', at)
        made.randomness = dict(seed=None)
        return made

    from mochi_mm.launch.runner import build_runner

    first = build_runner(config(at=5))
    with pytest.raises(SystemExit):
        first.train()
    second = build_runner(config())
    second.train()
    assert second.seed == first.seed
    sampler = second.train_dataloader.sampler
    assert isinstance(sampler, KeyedSampler) and sampler.seed == first.seed


CHANGES = {
    'lr': ('settings', {'optim_wrapper.optimizer.lr': 0.2}, r'optimizer\.lr: 0\.1 -> 0\.2'),
    'optimizer': (
        'optimizer settings',
        {'optim_wrapper.optimizer': dict(type='Adam', lr=0.1, _delete_=True)},
        'SGD -> Adam',
    ),
    'data': ('dataset settings', {'train_dataloader.dataset.size': 20}, 'samples: 16 -> 20'),
    'temperature': ('settings', {'model.head.temperature': 0.5}, r'temperature: absent -> 0\.5'),
    'width': (
        'optimizer settings',
        {'model.neck.out_channels': 4, 'model.head.memory.dim': 4},
        'neck',
    ),
    'scaled rate': (
        'settings',
        {'auto_scale_lr': dict(enable=True, base_batch_size=2)},
        r'auto_scale_lr\.enable: absent -> True',
    ),
    'seed': ('settings', {'randomness.seed': 1}, r'randomness\.seed: 0 -> 1'),
}


@pytest.mark.parametrize('name', CHANGES)
def test_a_changed_run_is_refused_unless_allowed(tmp_path: Path, name: str) -> None:
    allowance, change, message = CHANGES[name]
    run(config_of(tmp_path, 'epochs', at=4))
    changed = config_of(tmp_path, 'epochs')
    changed.merge_from_dict(change)
    with pytest.raises(ValueError, match=f'(?s){message}') as refusal:
        train(changed)
    assert f'--allow-changed {allowance}' in str(refusal.value)
    changed.resume_allow = allowance.split()
    changed.experiment_name += 'allowed'
    if name == 'width':  # no setting makes weights of another shape fit
        with pytest.raises(ValueError, match='another shape'):
            train(changed)
        return
    runner = train(changed)
    if name == 'lr':  # the new rate, on its schedule
        assert runner.optim_wrapper.param_groups[0]['initial_lr'] == 0.2
    if name == 'scaled rate':  # batches of 4
        assert runner.optim_wrapper.param_groups[0]['initial_lr'] == 0.2
    if name == 'seed':
        assert runner.seed == runner.train_dataloader.sampler.seed == 1
    assert runner.epoch == 3


def test_free_settings_may_change(tmp_path: Path) -> None:
    run(config_of(tmp_path, 'epochs', at=4))
    changed = config_of(tmp_path, 'epochs', num_workers=1, pin_memory=False)
    assert train(changed).epoch == 3


@pytest.mark.parametrize('kind', ['epochs', 'iterations'])
def test_the_end_cannot_be_behind_what_is_done(tmp_path: Path, kind: str) -> None:
    run(config_of(tmp_path, kind, at=8))

    def config(end: int) -> Any:
        made = config_of(tmp_path, kind)
        made.train_cfg['max_epochs' if kind == 'epochs' else 'max_iters'] = end
        made.log_level = 'INFO'
        return made

    with pytest.raises(ValueError, match='iteration 9, and the config ends at .* iteration 8'):
        train(config(2 if kind == 'epochs' else 8))
    ends = config(3 if kind == 'epochs' else 9)
    assert train(ends).iter == (12 if kind == 'epochs' else 9)
    ends.experiment_name += 'again'
    train(ends)
    logs = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert logs.count('nothing is left to train') == (2 if kind != 'epochs' else 1)
