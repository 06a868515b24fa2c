"""The guard: what it measures, when it warns and stops, and that a resume keeps its start."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.engine.guard_limits import GuardLimits
from mochi_mm.engine.hooks import RepresentationGuardHook
from mochi_mm.engine.hooks.representation_guard_hook import STATE
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.knn_evaluate import knn_evaluate
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.launch.runner import build_runner
from tests.toy_runner import runner_config, train


def loader(size: int = 12) -> dict[str, Any]:
    return dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='KeyedSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(
            type='NoiseImages',
            size=size,
            pipeline=[dict(type='Resize', size=16), dict(type='PackInputs')],
        ),
    )


def guarded(folder: Path, epochs: int = 2, rate: float = 0.1, **settings: Any) -> Any:
    hook = dict(type='RepresentationGuardHook', dataloader=loader(), k=3, num_images=8)
    config = runner_config(folder, max_epochs=epochs, custom_hooks=[{**hook, **settings}])
    config.optim_wrapper.optimizer.lr = rate
    return config


def log_of(folder: Path) -> str:
    return ''.join(path.read_text() for path in sorted(folder.glob('*/*.log')))


@pytest.fixture(scope='module')
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Three epochs under a guard without labels that warns at any loss, and never stops."""
    folder = tmp_path_factory.mktemp('straight')
    tight = dict(rank=1e-9, uniformity=1e-9, stability=1e-9)
    return train(guarded(folder, 3, limits=tight)), folder


def test_figures_are_those_of_their_definitions(straight: tuple[Any, Path]) -> None:
    runner = straight[0]
    hook = next(h for h in runner.hooks if isinstance(h, RepresentationGuardHook))
    features, _ = extract_features(runner.model, hook.dataloader)
    rows = features[[round(i * 11 / 7) for i in range(8)]].double()
    values = torch.linalg.svdvals(rows)
    shares = [float(v / values.sum()) + 1e-7 for v in values]
    unit = rows / rows.norm(dim=1, keepdim=True)
    potentials, near = [], []
    for i in range(8):
        potentials += [math.exp(-2 * float((unit[i] - unit[j]).square().sum())) for j in range(i)]
        far = sorted((float((unit[i] - unit[j]).square().sum()), j) for j in range(8) if j != i)
        near.append({j for _, j in far[:3]})
    before = [set(row) for row in hook._state['neighbors'].tolist()]
    stayed = sum(len(a & b) for a, b in zip(near, before, strict=True)) / 24
    hub = runner.message_hub
    wanted = dict(
        rank=math.exp(-sum(s * math.log(s) for s in shares if s > 0)),
        uniformity=math.log(sum(potentials) / len(potentials)),
        stability=stayed,
    )
    for name, value in wanted.items():
        assert hub.get_scalar(f'guard/{name}').current() == pytest.approx(value, rel=1e-5), name
    assert hub.get_scalar('guard/stability').data[0][0] == 1.0  # measured before the first step
    assert len(hub.get_scalar('guard/rank').data[0]) == 4


def test_training_goes_on_as_without_it(straight: tuple[Any, Path], tmp_path: Path) -> None:
    config = guarded(tmp_path, 3)
    config.custom_hooks = []
    plain = train(config).model.state_dict()
    for name, value in straight[0].model.state_dict().items():
        assert torch.equal(value, plain[name]), name


def test_a_loss_is_said_at_once(straight: tuple[Any, Path]) -> None:
    text = log_of(straight[1])
    assert 'guard at the start:  rank:' in text
    assert 'the representation is worse than at the start after 1 epochs:' in text
    assert 'of the neighbors stayed (allowed loss' in text
    assert 'The largest learning rate is 0.1: lower it' in text


def test_interrupted_and_resumed_it_is_the_same(straight: tuple[Any, Path], tmp_path: Path) -> None:
    tight = dict(rank=1e-9, uniformity=1e-9, stability=1e-9)
    train(guarded(tmp_path, 3, limits=tight, interval=1))
    (tmp_path / 'epoch_3.pth').unlink()
    for left in tmp_path.glob('best_*'):
        left.unlink()
    config = guarded(tmp_path, 3, limits=tight)
    config.update(resume=True, experiment_name=config.experiment_name + 'again')
    resumed = train(config)
    saved = [read_checkpoint(folder / 'epoch_3.pth') for folder in (straight[1], tmp_path)]
    states = [part['message_hub']['runtime_info'][STATE] for part in saved]
    assert torch.equal(states[0].pop('neighbors'), states[1].pop('neighbors'))
    assert states[0] == states[1]
    for name in ('rank', 'uniformity', 'stability'):
        curves = [r.message_hub.get_scalar(f'guard/{name}').data[0] for r in (straight[0], resumed)]
        assert curves[0].tolist() == curves[1].tolist(), name
    config = guarded(tmp_path, 4, dataloader=loader(11))
    config.update(resume=True, experiment_name=config.experiment_name + 'other')
    with pytest.raises(ValueError, match='looked at 12 images.*now there are 11 images'):
        train(config)


def test_labels_are_used_and_the_guard_stops(tmp_path: Path) -> None:
    """Random images tell no class, so a rate that is far too high is let pass by a loose limit."""
    settings = dict(bank_dataloader=loader(15), stop=True, limits=dict(stability=1e-9))
    config = guarded(tmp_path, 3, rate=5.0, **settings)
    with pytest.raises(SystemExit) as left:
        train(config)
    assert left.value.code == 3
    assert (tmp_path / 'epoch_1.pth').exists() and not (tmp_path / 'epoch_2.pth').exists()
    text = log_of(tmp_path)
    assert 'the guard stops the run: saved behind epoch 1, leaving with code 3' in text
    saved = read_checkpoint(tmp_path / 'epoch_1.pth')['message_hub']['runtime_info']
    assert saved[STATE]['stopped'] == 1
    config = guarded(tmp_path, 2, rate=5.0, **{**settings, 'stop': False})
    config.update(resume=True, experiment_name=config.experiment_name + 'again')
    runner = train(config)
    assert runner.epoch == 2
    assert 'the guard stopped this run after epoch 1; it goes on since a resume' in log_of(tmp_path)
    hook = next(h for h in runner.hooks if isinstance(h, RepresentationGuardHook))
    wanted = knn_evaluate(runner.model, hook.bank_dataloader, hook.dataloader, 3)
    assert runner.message_hub.get_scalar('guard/knn').current() == wanted['knn/top1_k3']
    assert hook._state['stopped'] == -1


def dying(config: Any, at: int) -> Any:
    """A runner whose features are 0 in evaluation mode from an iteration on."""
    runner = build_runner(config)
    runner.model.backbone.register_forward_hook(
        lambda module, inputs, maps: (
            maps if module.training or runner.iter < at else tuple(part * 0 for part in maps)
        )
    )
    return runner


@pytest.mark.parametrize('labeled', [False, True])
def test_a_dead_network_is_a_warning_and_stops_where_asked(tmp_path: Path, labeled: bool) -> None:
    """Under limits too that it keeps: the kNN of zeros is a guess, and a guess may be as good."""
    given = dict(bank_dataloader=loader(15), limits=dict(knn=99)) if labeled else {}
    runner = dying(guarded(tmp_path / 'on', against='best', **given), at=4)
    runner.train()
    text = log_of(tmp_path / 'on')
    for epoch in (1, 2):
        assert f'after {epoch} epochs: every feature is 0, the network is dead' in text
    hub = runner.message_hub
    assert hub.get_scalar('guard/rank').data[0][1:].tolist() == [0.0, 0.0]
    assert hub.get_scalar('guard/uniformity').data[0][1:].tolist() == [0.0, 0.0]
    with pytest.raises(SystemExit) as left:
        dying(guarded(tmp_path / 'stop', stop=True, **given), at=4).train()
    assert left.value.code == 3 and (tmp_path / 'stop/epoch_1.pth').exists()


def test_a_network_that_is_dead_at_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='0 before the first step: the network is dead.*start_fr'):
        dying(guarded(tmp_path), at=0).train()


def test_the_best_is_kept_only_above_the_start(tmp_path: Path) -> None:
    """By its first measure, where the config keeps no other best."""
    runner = train(guarded(tmp_path, 3, limits=dict(rank=0.99)))
    ranks = runner.message_hub.get_scalar('guard/rank').data[0].tolist()
    best = max(range(4), key=lambda epoch: ranks[epoch])
    kept = [path.name for path in tmp_path.glob('best_*.pth')]
    assert kept == ([f'best_guard_rank_epoch_{best}.pth'] if best else [])
    assert runner.message_hub.get_info('best_score') == ranks[best]
    hook = next(h for h in runner.hooks if isinstance(h, RepresentationGuardHook))
    assert hook._state['best_epoch'] == best


NOW = dict(knn=40.0, rank=6.0, uniformity=-1.0, stability=0.2)
THEN = dict(knn=42.5, rank=10.0, uniformity=-1.25, stability=1.0)


@pytest.mark.parametrize(
    ('allowed', 'broken'),
    [
        (dict(knn=2.5), []),
        (dict(knn=2.49), ['kNN top-1 40.00 % (before 42.50 %, allowed loss 2.49 points)']),
        (dict(rank=0.39), ['effective rank 6.00 (before 10.00, allowed loss 39% of it)']),
        (dict(rank=0.41, uniformity=0.26, stability=0.81), []),
        (dict(uniformity=0.24), ['uniformity -1.000 (before -1.250, allowed rise 0.24 nats)']),
        (dict(stability=0.79), ['20.0% of the neighbors stayed (allowed loss 79%)']),
    ],
)
def test_limits(allowed: dict[str, float], broken: list[str]) -> None:
    assert GuardLimits.of(allowed, labeled=True).broken(NOW, THEN) == broken
    assert GuardLimits.of(allowed, labeled=True).broken(THEN, THEN) == []


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(dataloader=None), 'has no dataloader, so there is nothing to measure'),
        (dict(interval=0), 'interval is 0'),
        (dict(limits=dict(rank=-0.1)), r'limits.rank is -0.1; expected a number above 0 and below'),
        (dict(limits=dict(uniformity=0)), 'limits.uniformity is 0; expected a number above 0'),
        (dict(limits=dict(stability=1.5)), 'limits.stability is 1.5'),
        (dict(limits=dict(knn=2)), 'knn needs a bank_dataloader with labels'),
        (dict(limits={}), 'limits names nothing'),
        (dict(against='last'), "against is 'last'"),
        (dict(k=8, num_images=8), 'num_images is 8 and k is 8'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RepresentationGuardHook(**{'dataloader': loader(), **settings})


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(interval=3), 'interval of the guard is 3 epochs and the run has 2'),
        (dict(k=12, num_images=20), 'looks at 12 images and k is 12'),
        (dict(bank_dataloader=loader(2)), 'k is 3 but the data set of the bank has 2'),
    ],
)
def test_what_does_not_fit_the_run(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(guarded(tmp_path, **settings))
    assert not list(tmp_path.glob('*.pth'))
