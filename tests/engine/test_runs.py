"""What a Runner does with the project's hooks: EMA, epochs, keys, checkpoints, checks."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from mochi_mm.randomness import StepKey
from mochi_mm.registry import HOOKS
from tests.toy_runner import runner_config, train


@HOOKS.register_module(force=True)
class RecordingHook(Hook):
    """Keeps what a test wants to see of each iteration."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.keys: list[StepKey] = []
        self.epochs: list[int] = []
        self.samples: list[list[int]] = []
        self.key_weights: list[torch.Tensor] = []
        self.query_weights: list[torch.Tensor] = []

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.keys.append(runner.model.head.mixing.step_key)
        self.epochs.append(runner.model.head.mixing.epoch)
        self.samples.append(data_batch['data_samples']['sample_idx'].tolist())
        self.key_weights.append(runner.model.key_encoder['neck'].layers[0].weight.detach().clone())
        self.query_weights.append(runner.model.neck.layers[0].weight.detach().clone())


def record(runner: Any) -> RecordingHook:
    return next(h for h in runner.hooks if isinstance(h, RecordingHook))


RECORD = dict(custom_hooks=[dict(type='RecordingHook')])


def test_every_step_gets_its_key_and_every_epoch_its_number(tmp_path: Path) -> None:
    runner = train(runner_config(tmp_path, **RECORD))
    seen = record(runner)
    assert seen.keys == [StepKey(0, i, 0) for i in range(8)]
    assert seen.epochs == [0] * 4 + [1] * 4
    passes = [
        sorted(i for batch in part for i in batch) for part in (seen.samples[:4], seen.samples[4:])
    ]
    assert passes == [list(range(16))] * 2
    assert seen.samples[:4] != seen.samples[4:]


def test_epoch_of_an_iteration_loop_is_the_pass(tmp_path: Path) -> None:
    changes = dict(
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=7, _delete_=True),
        param_scheduler=None,
        **RECORD,
    )
    config = runner_config(tmp_path, **changes)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=7)
    config.train_dataloader.sampler = dict(type='KeyedSampler', shuffle=True, infinite=True)
    config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=100)
    assert record(train(config)).epochs == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize('accumulated', [1, 3])
def test_ema_follows_each_optimizer_step_once(tmp_path: Path, accumulated: int) -> None:
    """8 iterations: the key encoder moves when the optimizer steps, and at no other time."""
    config = runner_config(tmp_path, **RECORD)
    config.optim_wrapper.accumulative_counts = accumulated
    config.model.ema_decay = 0.5
    torch.manual_seed(0)
    seen = record(train(config))
    stepped = [i for i in range(8) if (i + 1) % accumulated == 0 or i == 7]
    moved = [
        i for i in range(1, 8) if not torch.equal(seen.key_weights[i], seen.key_weights[i - 1])
    ]
    assert moved == [i for i in stepped if i > 0]
    for i in stepped[1:]:
        expected = 0.5 * seen.key_weights[i - 1] + 0.5 * seen.query_weights[i]
        torch.testing.assert_close(seen.key_weights[i], expected)


def final_state(runner: Any) -> dict[str, torch.Tensor]:
    state = {name: value.clone() for name, value in runner.model.state_dict().items()}
    for i, slot in enumerate(runner.optim_wrapper.optimizer.state.values()):
        state[f'momentum {i}'] = slot['momentum_buffer'].clone()
    return state


def assert_identical(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize('workers', [0, 2])
def test_resumed_run_equals_the_straight_one_bit_for_bit(tmp_path: Path, workers: int) -> None:
    """Also when the interrupted run used another number of workers."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    straight = final_state(train(runner_config(tmp_path / 'straight', max_epochs=3)))
    torch.manual_seed(0)
    loader = dict(train_dataloader=dict(num_workers=workers))
    first = runner_config(tmp_path / 'parts', max_epochs=3, **loader)
    first.custom_hooks = [dict(type='StopAfterEpoch', epochs=2)]
    with pytest.raises(KeyboardInterrupt):
        train(first)
    torch.manual_seed(99)
    second = runner_config(tmp_path / 'parts', max_epochs=3)
    second.resume = True
    second.experiment_name += 'resumed'
    assert_identical(straight, final_state(train(second)))


@HOOKS.register_module(force=True)
class StopAfterEpoch(Hook):
    """Ends the process's training the hard way after some epochs."""

    priority = 'LOWEST'

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def after_train_epoch(self, runner: Any) -> None:
        if runner.epoch + 1 == self.epochs:
            raise KeyboardInterrupt


def test_checkpoints_are_plain_data_and_keep_the_curves(tmp_path: Path) -> None:
    runner = train(runner_config(tmp_path))
    content = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert set(content['state_dict']) == set(runner.model.state_dict())
    again = runner_config(tmp_path, max_epochs=3)
    again.resume, again.experiment_name = True, again.experiment_name + 'resumed'
    resumed = train(again)
    history, _ = resumed.message_hub.get_scalar('train/loss').data
    before, _ = runner.message_hub.get_scalar('train/loss').data
    assert len(history) == 12 and history[:8].tolist() == before.tolist()


def test_log_line_has_the_statistics(tmp_path: Path) -> None:
    train(runner_config(tmp_path))
    log = next(tmp_path.glob('*/*.log')).read_text()
    line = [text for text in log.splitlines() if 'Epoch(train)' in text][-1]
    for name in (
        'lr',
        'time',
        'data_time',
        'loss',
        'acc_contrast',
        'acc_contrast_synthetic',
        'sim_positive',
        'sim_hardest',
        'share_harder',
        'queue_fill',
        'chance_level',
    ):
        assert f' {name}: ' in line, name
    assert 'queue_fill: 1.0000' in line
    assert 'chance_level: 3.2581' in line  # log(1 + 16 + 9): own key, memory, synthetic


def test_start_states_batch_and_rate(tmp_path: Path) -> None:
    config = runner_config(tmp_path)
    config.optim_wrapper.accumulative_counts = 2
    config.auto_scale_lr = dict(base_batch_size=256, enable=False)
    train(config)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'effective batch: 4 images x 1 ranks x 2 accumulated = 8; learning rate: 0.1' in log
    assert 'the effective batch is 8 but the learning rate of this config is meant for 256' in log


@pytest.mark.parametrize('masked', [False, True])
def test_memory_longer_than_the_data(tmp_path: Path, masked: bool) -> None:
    config = runner_config(tmp_path, size=12, max_epochs=1)
    config.model.head.mask_own_keys = masked
    train(config)
    log = next(tmp_path.glob('*/*.log')).read_text()
    warned = 'the memory holds 16 keys but the data set only 12 images' in log
    assert warned is not masked


@pytest.mark.parametrize('masked', [False, True])
@pytest.mark.parametrize('rows', [8, 10])
def test_a_bank_without_own_keys_masked(tmp_path: Path, rows: int, masked: bool) -> None:
    """Its length is that of the data set, or more: each query's own row is there at any length."""
    config = runner_config(tmp_path, size=8, max_epochs=1)
    config.model.head.memory.update(type='InstanceBank', length=rows)
    config.model.head.update(mask_own_keys=masked, num_hard=4)
    train(config)
    log = next(tmp_path.glob('*/*.log')).read_text()
    warned = 'the memory is an InstanceBank, which keeps a row of each of the 8 images' in log
    assert warned is not masked
    assert 'the memory holds' not in log


def test_less_than_one_batch(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='has 3 images, fewer than one batch of 4'):
        train(runner_config(tmp_path, size=3))


def test_samples_without_keys_are_warned_about(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    config.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    train(config)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'augmentation repeats every epoch: the sampler is DefaultSampler' in log
    train(runner_config(tmp_path / 'keyed', max_epochs=1))
    assert 'augmentation repeats' not in next((tmp_path / 'keyed').glob('*/*.log')).read_text()


def test_weights_that_match_nothing_are_refused(tmp_path: Path) -> None:
    torch.save(dict(state_dict={'encoder.w': torch.zeros(2)}), tmp_path / 'other.pth')
    config = runner_config(tmp_path / 'run')
    config.load_from = str(tmp_path / 'other.pth')
    with pytest.raises(
        ValueError,
        match=r'other\.pth does not cover the model: no weight of it fits.*encoder\.w.*backbone',
    ):
        train(config)


def test_bf16_trains_and_keeps_float32_weights(tmp_path: Path) -> None:
    config = runner_config(tmp_path)
    config.optim_wrapper.type = 'BF16OptimWrapper'
    runner = train(config)
    assert {p.dtype for p in runner.model.parameters()} == {torch.float32}
    plain = train(runner_config(tmp_path / 'plain'))
    losses = [r.message_hub.get_scalar('train/loss').data[0] for r in (runner, plain)]
    assert losses[0][0] != losses[1][0]
    assert losses[0][0] == pytest.approx(losses[1][0], rel=0.05)


def test_compiled_step_equals_the_plain_one(tmp_path: Path) -> None:
    """Through the compiler's front end; generating code would need a C++ compiler."""
    torch.manual_seed(0)
    plain = train(runner_config(tmp_path / 'plain', max_epochs=1))
    config = runner_config(tmp_path / 'compiled', max_epochs=1)
    config.compile = dict(backend='eager')
    torch.manual_seed(0)
    compiled = train(config)
    for a, b in zip(plain.model.parameters(), compiled.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_hooks_stand_in_every_run() -> None:
    from mmengine.config import Config

    from tests.toy_runner import REPOSITORY

    config = Config.fromfile(str(REPOSITORY / 'configs/_base_/default_runtime.py'))
    types = {hook['type'] for hook in copy.deepcopy(config.default_hooks).values()}
    assert {'EMAUpdateHook', 'SetEpochHook', 'KeyedRandomHook', 'CheckpointHook'} <= types
    assert {'NonFiniteHook', 'DataFaultHook', 'PreemptionHook', 'RankCheckHook'} <= types
    assert config.runner_type == 'SafeRunner'
