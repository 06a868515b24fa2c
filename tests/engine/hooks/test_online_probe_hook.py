"""The online probe: torch's own SGD on its features, no trace in the run, saved and resumed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.engine.hooks import OnlineProbeHook
from mochi_mm.evaluation.features import extract_features
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.models.algorithms.base_algorithm import pool
from tests.toy_runner import runner_config, train

QUERY = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='NoiseImages', size=10, pipeline=[dict(type='PackInputs')]),
)


def config_of(folder: Path, hooks: list[dict], **changes: Any) -> Any:
    return runner_config(folder, custom_hooks=hooks, **changes)


def probe(**changes: Any) -> dict[str, Any]:
    return dict(dict(type='OnlineProbeHook', num_classes=3, lr=0.5), **changes)


def hook_of(runner: Any) -> OnlineProbeHook:
    return next(hook for hook in runner.hooks if isinstance(hook, OnlineProbeHook))


def test_training_does_not_notice(tmp_path: Path) -> None:
    plain = train(config_of(tmp_path / 'plain', []))
    probed = train(config_of(tmp_path / 'probed', [probe(query_dataloader=QUERY, interval=1)]))
    state = probed.model.state_dict()
    for name, value in plain.model.state_dict().items():
        assert torch.equal(state[name], value), name
    losses = [r.message_hub.get_scalar('train/loss').data[0].tolist() for r in (plain, probed)]
    assert losses[0] == losses[1]
    assert not probed.model.backbone._forward_hooks
    hub, hook = probed.message_hub, hook_of(probed)
    assert len(hub.get_scalar('train/probe/loss').data[0]) == 8
    features, labels = extract_features(probed.model, hook.query_dataloader)
    scores = F.linear(F.normalize(features, dim=1), *hook.weights)
    right = sum(int(scores[i].argmax() == labels[i]) for i in range(10))
    assert hub.get_scalar('probe/top1').current() == pytest.approx(10.0 * right)


class Recorder(OnlineProbeHook):
    """Keeps what the head was given."""

    def _step(self, features: Any, labels: Any) -> Any:
        self.seen = [*getattr(self, 'seen', []), (features, labels)]
        return super()._step(features, labels)


def test_it_is_sgd_on_the_features_of_the_first_view(tmp_path: Path) -> None:
    config = config_of(tmp_path, [])
    from mochi_mm.launch.runner import build_runner

    runner = build_runner(config)
    hook = Recorder(num_classes=3, lr=0.5)
    runner.register_hook(hook)
    given = []
    handle = runner.model.backbone.register_forward_hook(
        lambda module, inputs, output: given.append(pool(output).detach())
    )
    runner.train()
    handle.remove()
    head = torch.nn.Linear(given[0].shape[1], 3)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.5, momentum=0.9)
    losses = []
    for output, (features, labels) in zip(given, hook.seen, strict=True):
        assert torch.equal(features, F.normalize(output, dim=1))
        loss = F.cross_entropy(head(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    torch.testing.assert_close(hook.weights[0], head.weight.detach(), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(hook.weights[1], head.bias.detach(), rtol=1e-5, atol=1e-7)
    logged = runner.message_hub.get_scalar('train/probe/loss').data[0]
    assert logged.tolist() == pytest.approx(losses, rel=1e-5)
    assert losses[0] == pytest.approx(1.0986123, rel=1e-6)  # log 3: it starts at zero


@pytest.mark.parametrize('editors', [(), ['universum']])
def test_what_editors_make_is_not_what_it_learns_from(editors: list[str]) -> None:
    """Universum views pass the backbone before the images; several views, one after the other."""
    hook, backbone = OnlineProbeHook(num_classes=2), torch.nn.Flatten()
    backbone.out_channels = 3
    model = torch.nn.Module()
    model.backbone, model.width = backbone, torch.nn.Parameter(torch.zeros(1))
    model.view_editors = [SimpleNamespace(makes=name) for name in (None, *editors)]
    hub = SimpleNamespace(runtime_info={})
    hook.before_train(SimpleNamespace(model=model, cfg={}, message_hub=hub))
    passes = [torch.full((2, 3, 1, 1), float(value)) for value in (1, 2)]
    for images in passes:
        backbone(images)
    model.eval()
    backbone(torch.zeros(2, 3, 1, 1))
    assert hook._features is not None and hook._features.unique().tolist() == [1.0 + len(editors)]


def test_a_resumed_run_has_the_same_head(tmp_path: Path) -> None:
    whole = train(config_of(tmp_path / 'whole', [probe()], max_epochs=3))
    first = config_of(tmp_path / 'parts', [probe()], max_epochs=3)
    train(first)
    for path in (tmp_path / 'parts').glob('epoch_[23].pth*'):
        path.unlink()
    again = config_of(tmp_path / 'parts', [probe()], max_epochs=3)
    again.resume, again.experiment_name = True, again.experiment_name + 'again'
    resumed = train(again)
    assert resumed.message_hub.get_scalar('train/probe/loss').data[0].shape == (12,)
    for a, b in zip(hook_of(whole).weights, hook_of(resumed).weights, strict=True):
        assert torch.equal(a, b)
    for a, b in zip(hook_of(whole).momentum, hook_of(resumed).momentum, strict=True):
        assert torch.equal(a, b)
    saved = read_checkpoint(tmp_path / 'parts' / 'epoch_3.pth')
    kept = saved['message_hub']['runtime_info']['online_probe']
    assert torch.equal(kept[0], hook_of(resumed).weights[0])


def test_labels_of_views_that_stand_one_after_the_other() -> None:
    hook = OnlineProbeHook(num_classes=4)
    batch = dict(data_samples=dict(gt_label=torch.tensor([3, 0, 2])))
    assert hook._labels(batch, 6, torch.device('cpu')).tolist() == [3, 0, 2, 3, 0, 2]
    with pytest.raises(ValueError, match='7 features for 3 labels'):
        hook._labels(batch, 7, torch.device('cpu'))


def test_features_that_are_not_finite(tmp_path: Path) -> None:
    """A step leaves the head as it is; query images of such features are not classified."""
    runner = train(config_of(tmp_path, [probe(query_dataloader=QUERY, interval=3)], max_epochs=1))
    hook = hook_of(runner)
    before = [part.clone() for part in [*hook.weights, *hook.momentum]]
    rows, labels = torch.rand(4, hook.weights[0].shape[1]), torch.tensor([0, 1, 2, 0])
    rows[2, 0] = float('nan')
    loss, _ = hook._step(rows, labels)
    assert loss != loss
    assert all(map(torch.equal, before, [*hook.weights, *hook.momentum]))
    with torch.no_grad():
        next(runner.model.backbone.parameters()).fill_(float('nan'))
    hook.interval = 1
    with pytest.raises(ValueError, match='10 of 10 samples have logits that are not finite'):
        hook.after_train_epoch(runner)


def test_mistakes(tmp_path: Path) -> None:
    for change in (dict(num_classes=1), dict(lr=0.0), dict(interval=0)):
        with pytest.raises(ValueError, match='expected at least two classes'):
            OnlineProbeHook(**{**dict(num_classes=3), **change})
    with pytest.raises(ValueError, match=r'labels from 0 to 1, the batch has \[.*2'):
        train(config_of(tmp_path / 'few', [probe(num_classes=2)]))
    config = config_of(tmp_path / 'compiled', [probe()])
    config.compile = dict(backend='eager')
    with pytest.raises(ValueError, match='compiled model does not allow'):
        train(config)
