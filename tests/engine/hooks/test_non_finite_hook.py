"""A step that would spoil the weights is not taken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import OptimWrapper

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.models.algorithms.adversarial_contrast import AdversarialContrast
from mochi_mm.models.algorithms.moco import MoCo
from mochi_mm.models.memories.feature_queue import FeatureQueue
from mochi_mm.models.memories.instance_bank import InstanceBank
from mochi_mm.registry import MODELS, OPTIM_WRAPPERS
from mochi_mm.runs.run import read_run
from tests.toy_runner import runner_config, train


class Spoiled:
    """An algorithm that meets one infinite pixel in each view at its fifth loss."""

    calls = 0

    def loss(self, inputs: Any, data_samples: Any) -> Any:
        self.calls += 1
        if self.calls == 5:
            inputs = [view.clone() for view in inputs]
            for view in inputs:
                view[0, 0, 0, 0] = float('inf')
        return super().loss(inputs, data_samples)  # type: ignore[misc]


@MODELS.register_module(force=True)
class SpoiledMoCo(Spoiled, MoCo):
    """Running statistics of the network and of its average."""


@MODELS.register_module(force=True)
class SpoiledAdversarial(Spoiled, AdversarialContrast):
    """Running statistics of the network and of a second set of norms."""


def spoiled(folder: Path, **hook: Any) -> Any:
    config = runner_config(folder, max_epochs=2)
    config.model.type = 'SpoiledMoCo'
    config.default_hooks.non_finite.update(hook)
    return config


def test_training_stops_before_the_step_and_shows_the_batch(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r'not finite at iteration 5 .*policy=.skip'):
        train(spoiled(tmp_path))
    dump = read_checkpoint(tmp_path / 'non_finite/iter_5_rank_0.pth')
    batch = dump['batches'][0]
    assert batch['data_samples']['sample_idx'].shape == (4,)
    assert [view.shape[0] for view in batch['inputs']] == [4, 4]
    assert dump['gradients'] and dump['iteration'] == 5
    path, _ = newest_valid(tmp_path)
    assert path.name == 'epoch_1.pth'
    ending = read_run(tmp_path).ending
    assert ending.state == 'crashed' and ending.last_words
    assert re.match('FloatingPointError: .* not finite at iteration 5 ', ending.error)


def test_a_left_out_step_leaves_no_trace(tmp_path: Path) -> None:
    runner = train(spoiled(tmp_path, policy='skip', max_skips=1))
    state = runner.model.state_dict()
    assert all(t.isfinite().all() for t in state.values() if t.is_floating_point())
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert [bool(torch.tensor(x).isfinite()) for x in losses] == [True] * 4 + [False] + [True] * 3
    assert newest_valid(tmp_path)[0].name == 'epoch_2.pth'


def test_norms_that_stand_apart_are_put_back_too(tmp_path: Path) -> None:
    config = spoiled(tmp_path, policy='skip', max_skips=1)
    parts = {name: config.model[name] for name in ('backbone', 'neck')}
    editor = dict(type='AdversarialViews', attack=dict(epsilon=8 / 255, steps=1))
    config.model = dict(
        parts, type='SpoiledAdversarial', head=dict(type='NTXentHead'), view_editors=[editor]
    )
    model = train(config).model
    assert all(t.isfinite().all() for t in model.state_dict().values() if t.is_floating_point())
    for bn1 in (model.backbone.bn1, model.norm_twins.backbone.bn1):
        assert int(bn1.num_batches_tracked) == 7
    assert newest_valid(tmp_path)[0].name == 'epoch_2.pth'


def test_the_budget_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match='0 steps were left out before'):
        train(spoiled(tmp_path, policy='skip', max_skips=0))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=2)
    config.default_hooks.non_finite = None
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    config.model.type = 'SpoiledMoCo'
    with pytest.raises(FloatingPointError, match='nothing was saved'):
        train(config)
    content = read_checkpoint(newest_valid(tmp_path)[0])
    assert content['meta']['epoch'] == 1
    assert all(t.isfinite().all() for t in content['state_dict'].values())


def test_a_folder_that_cannot_be_made_does_not_stop_a_run_that_skips(tmp_path: Path) -> None:
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/non_finite').write_text('in the way')
    train(spoiled(tmp_path / 'run', policy='skip'))
    log = next((tmp_path / 'run').glob('*/*.log')).read_text()
    assert log.count('the batch could not be written: ') == 1


def test_the_budget_is_that_of_all_parts_of_a_run(tmp_path: Path) -> None:
    train(spoiled(tmp_path, policy='skip', max_skips=1))
    config = spoiled(tmp_path, policy='skip', max_skips=1)
    config.update(resume=True, experiment_name='resumed')
    config.train_cfg.max_epochs = 4  # the fifth loss from here is spoiled again
    with pytest.raises(FloatingPointError, match='iteration 13 .* 1 steps were left out before'):
        train(config)


@OPTIM_WRAPPERS.register_module(force=True)
class ScaledWrapper(OptimWrapper):
    """What AmpOptimWrapper does in float16, on the CPU."""

    def __init__(self, scale: float = 2.0**16, **settings: Any) -> None:
        super().__init__(**settings)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=scale)

    def backward(self, loss: torch.Tensor, **kwargs: Any) -> None:
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs: Any) -> None:
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update()


def scaled(folder: Path, scale: float, **hook: Any) -> Any:
    config = spoiled(folder, **hook)
    config.optim_wrapper.update(type='ScaledWrapper', scale=scale)
    return config


def test_a_loss_that_is_not_finite_stops_past_a_loss_scaler(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r'not finite at iteration 5 '):
        train(scaled(tmp_path, 1.0))
    assert (tmp_path / 'non_finite/iter_5_rank_0.pth').is_file()
    runner = train(scaled(tmp_path / 'skip', 1.0, policy='skip', max_skips=1))
    state = runner.model.state_dict()
    assert all(t.isfinite().all() for t in state.values() if t.is_floating_point())
    assert runner.message_hub.get_info('non_finite_steps_left_out') == 1


def test_a_loss_scaler_may_look_for_its_scale_but_not_forever(tmp_path: Path) -> None:
    config = scaled(tmp_path, 2.0**127, max_scaler_skips=6)
    config.model.type = 'MoCo'
    runner = train(config)  # float32 ends at 2 ** 128, the scale is halved each time
    assert 2.0**120 < runner.optim_wrapper.loss_scaler.get_scale() < 2.0**127
    assert not (tmp_path / 'non_finite').exists()
    config = scaled(tmp_path / 'bounded', float('inf'), max_scaler_skips=3)
    config.model.type = 'MoCo'
    with pytest.raises(FloatingPointError, match='left out 4 steps in a row, the last at iterat'):
        train(config)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
@pytest.mark.parametrize('batch', [1, 3, 8, 11])
def test_the_memory_passes_over_keys_that_are_not_finite(bad: float, batch: int) -> None:
    queue = FeatureQueue(length=8, dim=4)
    before = {name: value.clone() for name, value in queue.named_buffers()}
    keys = torch.nn.functional.normalize(torch.randn(batch, 4), dim=1)
    spoiled = sorted({0, batch // 2, batch - 1})
    keys[spoiled, 2] = bad
    queue.enqueue(keys, torch.arange(batch), torch.arange(batch) + 100)
    good = [i for i in range(batch) if i not in spoiled]
    for place, i in enumerate(good):
        assert torch.equal(queue.features[place], keys[i])
        assert (int(queue.labels[place]), int(queue.indices[place])) == (i, 100 + i)
    for name in ('features', 'labels', 'indices'):
        assert torch.equal(getattr(queue, name)[len(good) :], before[name][len(good) :])
    assert int(queue.pointer) == len(good) % 8 and queue.held().sum() == len(good)


def test_a_batch_longer_than_the_queue_leaves_its_newest_finite_keys() -> None:
    queue = FeatureQueue(length=4, dim=2)
    keys = torch.eye(2)[torch.arange(9) % 2]
    keys[[5, 8]] = float('nan')
    queue.enqueue(keys, indices=torch.arange(9))  # finite: 0 1 2 3 4 6 7, at places 0 to 6
    assert queue.indices.tolist() == [4, 6, 7, 3] and int(queue.pointer) == 3
    assert queue.held().all() and queue.features.isfinite().all()


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_the_bank_passes_over_features_that_are_not_finite(bad: float) -> None:
    bank = InstanceBank(length=6, dim=4, ema_decay=0.5)
    before = bank.features.clone()
    features = torch.nn.functional.normalize(torch.randn(4, 4), dim=1)
    features[[1, 3], 0] = bad
    bank.enqueue(features, torch.arange(4), torch.tensor([0, 3, 5, 5]))
    assert bank.held().tolist() == [True, False, False, False, False, True]
    assert bank.labels.tolist() == [0, -1, -1, -1, -1, 2]
    for row, source in ((0, 0), (5, 2)):
        mixed = 0.5 * before[row] + 0.5 * features[source]
        assert torch.allclose(bank.features[row], mixed / mixed.norm(), atol=1e-6)
    assert torch.equal(bank.features[[1, 2, 3, 4]], before[[1, 2, 3, 4]])


def test_settings_out_of_range() -> None:
    from mochi_mm.engine.hooks import NonFiniteHook

    skips = dict(policy='skip', max_skips=-1)
    for bad in (dict(policy='ignore'), skips, dict(max_scaler_skips=-1)):
        with pytest.raises(ValueError, match='expected one of stop, skip'):
            NonFiniteHook(**bad)
    with pytest.raises(ValueError, match="max_skips is 3 but the policy is 'stop'"):
        NonFiniteHook(max_skips=3)
    assert (NonFiniteHook().max_skips, NonFiniteHook(policy='skip').max_skips) == (10, 10)


def test_large_numbers_are_finite() -> None:
    """Their squares are not, nor the sum of many."""
    from mochi_mm.engine.hooks.non_finite_hook import _all_finite

    assert _all_finite([torch.full((4,), 1e20), torch.full((10_000,), 1e17)])
    for bad in (float('nan'), float('inf'), -float('inf')):
        assert not _all_finite([torch.ones(3), torch.tensor([1.0, bad])])
