"""A step that would spoil the weights is not taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.models.algorithms.moco import MoCo
from mochi_mm.models.memories.feature_queue import FeatureQueue
from mochi_mm.registry import MODELS
from mochi_mm.utils.checkpoint import read_checkpoint
from mochi_mm.utils.checkpoint_folder import newest_valid
from tests.toy_runner import runner_config, train


@MODELS.register_module(force=True)
class SpoiledMoCo(MoCo):
    """MoCo that meets one infinite pixel at its fifth loss."""

    calls = 0

    def loss(self, inputs: Any, data_samples: Any) -> Any:
        self.calls += 1
        if self.calls == 5:
            inputs = [view.clone() for view in inputs]
            inputs[0][0, 0, 0, 0] = float('inf')
            inputs[1][0, 0, 0, 0] = float('inf')
        return super().loss(inputs, data_samples)


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


def test_a_left_out_step_leaves_no_trace(tmp_path: Path) -> None:
    runner = train(spoiled(tmp_path, policy='skip', max_skips=1))
    state = runner.model.state_dict()
    assert all(t.isfinite().all() for t in state.values() if t.is_floating_point())
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert [bool(torch.tensor(x).isfinite()) for x in losses] == [True] * 4 + [False] + [True] * 3
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


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
@pytest.mark.parametrize('batch', [1, 3, 8, 11])
def test_the_memory_passes_over_keys_that_are_not_finite(bad: float, batch: int) -> None:
    queue = FeatureQueue(length=8, dim=4)
    before = {name: value.clone() for name, value in queue.named_buffers()}
    keys = torch.nn.functional.normalize(torch.randn(batch, 4), dim=1)
    keys[-1, 2] = bad
    queue.enqueue(keys, torch.arange(batch), torch.arange(batch) + 100)
    for i in range(max(0, batch - 8), batch):
        row, last = i % 8, i == batch - 1
        assert torch.equal(queue.features[row], before['features'][row] if last else keys[i])
        assert queue.labels[row] == (-1 if last else i)
        assert queue.indices[row] == (-1 if last else 100 + i)
    assert int(queue.pointer) == batch % 8


def test_settings_out_of_range() -> None:
    from mochi_mm.engine.hooks import NonFiniteHook

    for bad in (dict(policy='ignore'), dict(max_skips=-1)):
        with pytest.raises(ValueError, match='expected one of stop, skip'):
            NonFiniteHook(**bad)
