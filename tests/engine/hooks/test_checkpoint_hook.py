"""What is kept, what is called best, and what a checkpoint says about its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from mochi_mm.engine.hooks import CheckpointHook
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import manifest_path, newest_valid
from mochi_mm.files.checkpoint_writer import check_finite
from mochi_mm.launch.runner import build_runner
from mochi_mm.runs.measured_figures import offer_figures
from tests.toy_runner import runner_config, train


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob('*.pth')}


def test_the_newest_are_kept_with_their_manifests(tmp_path: Path) -> None:
    (tmp_path / '.epoch_9.pth.left.partial').write_text('of a killed run')
    (tmp_path / '.epoch_9_timm.left.partial').mkdir()  # of a killed export
    (tmp_path / 'analysis').mkdir()
    (tmp_path / 'analysis/.epoch_9.npz.left.partial').write_text('of a killed run')
    config = runner_config(tmp_path, max_epochs=4)
    config.default_hooks.checkpoint.max_keep_ckpts = 2
    train(config)
    assert names(tmp_path) == {'epoch_3.pth', 'epoch_4.pth'}
    assert not list(tmp_path.glob('**/.*'))
    assert len(list(tmp_path.glob('*.pth.json'))) == 2
    manifest = json.loads(manifest_path(tmp_path / 'epoch_4.pth').read_text())
    assert manifest['sha256'] == sha256_of(tmp_path / 'epoch_4.pth')
    assert (manifest['epoch'], manifest['iter'], manifest['file']) == (4, 16, 'epoch_4.pth')
    about = read_checkpoint(tmp_path / 'epoch_4.pth')['meta']['mochi_mm']
    assert about['channel_order'] == 'rgb' and about['algorithm'] == 'MoCo'
    assert about['mean'] == pytest.approx([123.675, 116.28, 103.53])
    stated = dict(type='ResNet', depth=10, width=0.125, stem='small')
    assert {key: about['backbone'][key] for key in stated} == stated
    assert about['backbone']['frozen_stages'] == -1  # defaults are written out


def test_a_new_run_in_an_old_folder_is_warned_about_and_keeps_its_own(tmp_path: Path) -> None:
    train(runner_config(tmp_path, max_epochs=3))
    config = runner_config(tmp_path, max_epochs=1)
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    config.experiment_name += 'again'
    config.log_level = 'WARNING'
    train(config)
    assert names(tmp_path) == {'epoch_1.pth'}
    logs = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert 'holds 3 checkpoints of an earlier run' in logs


def test_saving_waits_for_the_optimizer(tmp_path: Path) -> None:
    """4 iterations an epoch, steps at 3, 6, 9 and 12."""
    config = runner_config(tmp_path, max_epochs=3)
    config.optim_wrapper.accumulative_counts = 3
    train(config)
    assert names(tmp_path) == {'iter_6.pth', 'iter_9.pth', 'epoch_3.pth'}
    meta = read_checkpoint(tmp_path / 'iter_6.pth')['meta']
    assert (meta['epoch'], meta['iter']) == (1, 6)


class Logger:
    def info(self, text: str) -> None: ...
    def log(self, level: int, text: str) -> None: ...


def test_the_best_is_whole_and_only_one(tmp_path: Path, monkeypatch: Any) -> None:
    """The hook by itself, on a run that has just been trained."""
    runner = train(runner_config(tmp_path, max_epochs=1))
    hook = CheckpointHook(save_best='accuracy/top1')
    hook._training = True
    for epoch, value in enumerate([10.0, 30.0, 20.0, float('nan'), 40.0], start=1):
        runner.train_loop._epoch = epoch
        hook.after_val_epoch(runner, {'accuracy/top1': value})
        best = [path.name for path in tmp_path.glob('best_*.pth')]
        assert best == [f'best_accuracy_top1_epoch_{ {3: 2, 4: 2}.get(epoch, epoch) }.pth']
        assert newest_valid(tmp_path)[0].name == best[0]
    with pytest.raises(KeyError, match='not among the validation metrics; they are loss'):
        hook.after_val_epoch(runner, {'loss': 1.0})


def test_the_best_by_a_figure_of_a_hook(tmp_path: Path) -> None:
    """Offered in the middle of an epoch's end, saved behind the schedules, less is better."""

    class Offers(Hook):
        values = iter([3.0, 2.0, 5.0, 1.0])

        def before_train(self, runner: Any) -> None:
            offer_figures(runner, {FIGURE: 2.5}, start=True)

        def after_train_epoch(self, runner: Any) -> None:
            offer_figures(runner, {FIGURE: next(self.values), 'analysis/rank/neck': 9.0})

    config = runner_config(tmp_path, max_epochs=4)
    FIGURE = 'analysis/uniformity/backbone'
    config.default_hooks.checkpoint.update(save_best=FIGURE, interval=2)
    runner = build_runner(config)
    runner.register_hook(Offers())
    with pytest.raises(ValueError, match='is measured by AnalysisHook, and the run has none'):
        runner.train()
    Offers.__name__ = 'AnalysisHook'
    config.experiment_name += 'again'
    runner = build_runner(config)
    runner.register_hook(Offers())
    runner.train()
    assert names(tmp_path) == {
        'best_analysis_uniformity_backbone_epoch_4.pth',
        'epoch_2.pth',
        'epoch_4.pth',
    }
    assert [
        read_checkpoint(tmp_path / f'epoch_{n}.pth')['message_hub']['runtime_info']['best_score']
        for n in (2, 4)
    ] == [2.0, 1.0]
    best, last = (read_checkpoint(path) for path in sorted(tmp_path.glob('*_4.pth')))
    assert best['param_schedulers'] == last['param_schedulers'] and best['meta']['epoch'] == 4
    hook = CheckpointHook(save_best='analysis/rank/backbone')
    with pytest.raises(
        KeyError, match='not among the figures that AnalysisHook measured; they are'
    ):
        hook.offer(runner, {FIGURE: 1.0})


@pytest.mark.parametrize(
    ('figure', 'rule', 'wanted'),
    [
        ('knn/top1', None, 'greater'),
        ('analysis/lidar/neck', None, 'greater'),
        ('analysis/uniformity/neck', None, 'less'),
        ('analysis/acc_contrast', 'less', 'less'),
        ('accuracy/top1', None, 'greater'),
        ('loss', 'less', 'less'),
    ],
)
def test_rules_are_known(figure: str, rule: str | None, wanted: str) -> None:
    assert CheckpointHook(save_best=figure, rule=rule).rule == wanted


def test_a_rule_against_the_known_one() -> None:
    with pytest.raises(ValueError, match='of this figure the less is better; leave rule out'):
        CheckpointHook(save_best='analysis/uniformity/neck', rule='greater')
    with pytest.raises(ValueError, match='not known; expected rule.*Nearest: analysis/rank/neck'):
        CheckpointHook(save_best='analysis/rnk/neck')


def test_a_best_that_the_disk_does_not_take(tmp_path: Path, monkeypatch: Any) -> None:
    """The best before stays the best; nothing ordinary is saved in its place."""
    runner = train(runner_config(tmp_path, max_epochs=1))
    hook = CheckpointHook(save_best='m')
    hook._training = True
    hook.after_val_epoch(runner, {'m': 1.0})

    def fail(*args: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('mochi_mm.files.checkpoint_writer.write_checkpoint', fail)
    runner.train_loop._epoch = 2
    hook.after_val_epoch(runner, {'m': 5.0})
    assert runner.message_hub.get_info('best_score') == 1.0 and hook._due_at is None
    monkeypatch.undo()
    runner.train_loop._epoch = 3
    hook.after_val_epoch(runner, {'m': 3.0})
    assert names(tmp_path) == {'epoch_1.pth', 'best_m_epoch_3.pth'}
    assert runner.message_hub.get_info('best_score') == 3.0


@pytest.mark.parametrize(
    ('settings', 'value', 'kept'),
    [
        (dict(save_best='m'), 40.0, False),  # the same question: no better than before
        (dict(save_best='m'), 60.0, True),
        (dict(save_best='share'), 0.6, True),  # not 60 % after all
        (dict(save_best='m', rule='less'), 60.0, True),  # nor the least of what was greatest
    ],
)
def test_a_best_value_is_one_of_its_own_metric(
    tmp_path: Path, settings: dict[str, str], value: float, kept: bool
) -> None:
    """A run that went on with another ``save_best`` compared its values with the former ones."""
    config = runner_config(tmp_path, max_epochs=1)
    runner = train(config)
    first = CheckpointHook(save_best='m')
    first._training = True
    first.after_val_epoch(runner, {'m': 50.0})
    config.update(resume=True, experiment_name=config.experiment_name + 'again')
    again = train(config)
    assert again.message_hub.get_info('best_score') == 50.0
    hook = CheckpointHook(**settings)
    hook._training = True
    again.train_loop._epoch = 2
    hook.after_val_epoch(again, {hook.save_best: value})
    assert (tmp_path / f'best_{hook.save_best}_epoch_2.pth').exists() == kept
    assert again.message_hub.get_info('best_score') == (value if kept else 50.0)


def test_a_best_amid_accumulation_is_not_resumed(tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    runner = train(config)
    hook = CheckpointHook(save_best='m')
    hook._training = True
    runner.optim_wrapper._accumulative_counts = 3
    runner.optim_wrapper._inner_count = 2
    hook.after_val_epoch(runner, {'m': 1.0})
    best = tmp_path / 'best_m_epoch_1.pth'
    assert json.loads(manifest_path(best).read_text())['exact'] is False
    assert newest_valid(tmp_path) == (tmp_path / 'epoch_1.pth', [])
    manifest_path(best).unlink()
    assert newest_valid(tmp_path) == (tmp_path / 'epoch_1.pth', [])
    config.resume, config.load_from = True, str(best)
    config.experiment_name += 'again'
    with pytest.raises(ValueError, match='cannot be continued exactly'):
        train(config)
    (tmp_path / 'epoch_1.pth').unlink()
    assert newest_valid(tmp_path) == (None, [])


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_what_cannot_be_deleted_stays(tmp_path: Path, monkeypatch: Any, suffix: str) -> None:
    """And the others still go."""
    unlink = Path.unlink

    def stubborn(path: Path, missing_ok: bool = False) -> None:
        if path.name.endswith(f'epoch_1{suffix}'):
            raise PermissionError(1, 'Operation not permitted', str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, 'unlink', stubborn)
    config = runner_config(tmp_path, max_epochs=3)
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    config.log_level = 'WARNING'
    train(config)
    monkeypatch.undo()
    kept = {'epoch_1.pth', 'epoch_3.pth'} if suffix == '.pth' else {'epoch_3.pth'}
    assert names(tmp_path) == kept
    logs = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert 'Operation not permitted' in logs


def iterations(folder: Path, **changes: Any) -> Any:
    config = runner_config(folder)
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=6)
    config.train_dataloader.sampler = dict(type='KeyedSampler', infinite=True)
    config.param_scheduler = []
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=3, **changes)
    return config


def test_the_interval_follows_the_loop(tmp_path: Path) -> None:
    train(iterations(tmp_path))
    assert names(tmp_path) == {'iter_3.pth', 'iter_6.pth'}
    with pytest.raises(ValueError, match='by_epoch=True in an iteration loop'):
        train(iterations(tmp_path / 'contradiction', by_epoch=True))


def test_a_best_needs_a_validation(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="save_best='m' needs a validation"):
        train(iterations(tmp_path, save_best='m'))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
def test_one_number_that_is_not_finite_is_found(dtype: torch.dtype, bad: float) -> None:
    images = torch.ones(2, 3, 4, 5, dtype=dtype).to(memory_format=torch.channels_last)
    good = dict(
        w=images, none=torch.empty(0, dtype=dtype), one=torch.tensor(1.0), n=torch.tensor(3)
    )
    check_finite(good)
    for name in ('w', 'one'):
        spoilt = {key: value.clone() for key, value in good.items()}
        spoilt[name][(1, 2, 0, 0) if name == 'w' else ()] = bad
        with pytest.raises(FloatingPointError, match=f'1 of 4 .* first {name}'):
            check_finite(spoilt)
