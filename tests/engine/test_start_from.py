"""Runs that go on from weights: what they begin with, what a resume does, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import EMAHook
from torchvision.models import resnet18

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.launch.check_start_from import check_start_from
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import REPOSITORY, runner_config, train
from tools.train import main, parse_args, read_config


@pytest.fixture(scope='module')
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of a run of one epoch."""
    folder = tmp_path_factory.mktemp('earlier')
    train(runner_config(folder, max_epochs=1))
    return folder


def begun(config: Any) -> Any:
    """Return a runner right before its first step."""
    runner = build_runner(config)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner._init_model_weights()
    runner.call_hook('before_run')
    runner.load_or_resume()
    return runner


@pytest.mark.parametrize('name', ['epoch_1.pth', 'backbone_epoch_1.safetensors'])
def test_both_encoders_and_averages_begin_there(earlier: Path, tmp_path: Path, name: str) -> None:
    config = runner_config(tmp_path, custom_hooks=[dict(type='EMAHook')])
    config.start_from = dict(weights=str(earlier / name))
    runner = begun(config)
    saved = read_checkpoint(earlier / 'epoch_1.pth')['state_dict']
    state = runner.model.state_dict()
    average = next(h for h in runner.hooks if isinstance(h, EMAHook)).ema_model.module.state_dict()
    parts = ('backbone', 'neck') if name.endswith('pth') else ('backbone',)
    for part in parts:
        for key in (key for key in saved if key.startswith(f'{part}.')):
            assert torch.equal(state[key], saved[key]), key
            assert torch.equal(state[f'key_encoder.{key}'], saved[key]), key
            assert torch.equal(average[key], saved[key]), key
    assert not torch.equal(
        state['key_encoder.neck.layers.0.weight'], saved['key_encoder.neck.layers.0.weight']
    )
    log = next(tmp_path.glob('*/*.log')).read_text()
    new = 'New, as initialized: head' if 'neck' in parts else 'neck (4)'
    assert new in log
    assert (runner.epoch, runner.iter) == (0, 0)


def test_a_resume_has_weights_of_its_own(earlier: Path, tmp_path: Path) -> None:
    config = runner_config(tmp_path, max_epochs=1, start_from=dict(weights='gone.pth'))
    config.start_from.weights = str(earlier / 'epoch_1.pth')
    train(config)
    config.update(resume='auto', experiment_name=config.experiment_name + 'again')
    runner = begun(config)
    assert (runner.epoch, runner.iter) == (1, 4)
    log = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert f'start_from={earlier}/epoch_1.pth is not read, the run goes on from' in log


def test_another_architecture_trains_nothing(tmp_path: Path) -> None:
    torch.save(resnet18().state_dict(), tmp_path / 'resnet18.pth')
    config = runner_config(tmp_path / 'run')
    config.start_from = dict(weights=str(tmp_path / 'resnet18.pth'))
    with pytest.raises(ValueError, match='does not cover the backbone.*the model wants'):
        train(config)
    assert not list((tmp_path / 'run').glob('*.pth'))


PART = dict(init_cfg=dict(type='mmengine.Pretrained', checkpoint='x.pth'))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(load_from='other.pth'), 'and load_from=other.pth both say which weights'),
        (dict(custom_hooks=[dict(type='PretrainedHook')]), 'and the PretrainedHook of the config'),
        (dict(model=dict(backbone=PART)), 'model.backbone.init_cfg, which loads x.pth both say'),
        (dict(default_scope='mmdet'), "this config is of scope 'mmdet'"),
        (dict(start_from='epoch_1.pth'), r'expected dict\(weights=FILE\)'),
        (dict(start_from=dict(weights='a.pth', adapt_stem='sum')), "adapt_stem.*'sum'.*mean"),
        (dict(start_from=dict(checkpoint_key='a')), r'expected dict\(weights=FILE\)'),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], message: str) -> None:
    config = dict(default_scope='mochi_mm', start_from=dict(weights='epoch_1.pth'))
    with pytest.raises(ValueError, match=message):
        check_start_from({**config, **changes}, resumes=True)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(REPOSITORY / 'configs/mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py')
    config = read_config(
        parse_args([path, '--from', 'a.pth', '--checkpoint-key', 'teacher', '--adapt-stem', 'mean'])
    )
    wanted = dict(
        weights='a.pth', allow_other_input=False, checkpoint_key='teacher', adapt_stem='mean'
    )
    assert config.start_from.to_dict() == wanted
    for words, message in (
        (['--from', 'a.pth', '--resume'], '--from a.pth begins a run and --resume goes on'),
        (['--from', 'a.pth', '--smoke'], 'leave --from out'),
        (['--allow-other-input'], 'belong to the file of --from'),
        (['--adapt-stem', 'mean'], 'belong to the file of --from'),
    ):
        with pytest.raises(SystemExit) as left:
            parse_args([path, *words])
        assert left.value.code == 2 and message in capsys.readouterr().err
    work_dir = str(tmp_path / 'run')
    with pytest.raises(FileNotFoundError, match='no weights for --from at .*gone.pth'):
        main([path, '--work-dir', work_dir, '--from', str(tmp_path / 'gone.pth')])
    with pytest.raises(ValueError, match='both say what start_from.weights is'):
        options = ['--cfg-options', 'start_from.weights=b.pth']
        read_config(parse_args([path, '--from', 'a.pth', *options]))
