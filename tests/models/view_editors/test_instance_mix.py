"""i-Mix: which views it mixes, by which draws, what it writes, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.view_editors import InstanceMix
from mochi_mm.randomness import StepKey
from tests.meta import StepOfNoGenerator, on_one_device
from tests.models.algorithms.toy import build_moco, moco_config, views
from tests.models.view_editors.runs import straight_and_resumed
from tests.toy_runner import runner_config

KEY = StepKey(3, 7, 1)
MODEL: Any = SimpleNamespace(query_views=(0,))


def batch(size: int = 5) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(size, 3, 6, 8, generator=generator) for _ in range(2)]


def edited(key: StepKey | None = KEY, model: Any = MODEL, **settings: Any) -> Any:
    editor = InstanceMix(**settings)
    if key is not None:
        editor.set_step(key)
    return editor(batch(), dict(sample_idx=torch.arange(5)), model)


def draws() -> tuple[torch.Generator, Tensor]:
    """The generator of the step behind the draw of the partners, and the partners."""
    generator = KEY.generator('view editor InstanceMix')
    return generator, torch.randperm(5, generator=generator)


def test_mixup_mixes_the_queries_by_shares_of_their_own() -> None:
    inputs = batch()
    (query, key), samples = edited()
    generator, partner = draws()
    share = 1 - torch.rand(5, generator=generator) / 2  # of Beta(1, 1), folded
    assert torch.equal(key, inputs[1]) and torch.equal(samples['sample_idx'], torch.arange(5))
    assert torch.equal(samples['mix_partner'], partner)
    torch.testing.assert_close(samples['mix_share'], share, rtol=0, atol=1e-6)
    for b in range(5):
        expected = share[b] * inputs[0][b] + (1 - share[b]) * inputs[0][int(partner[b])]
        torch.testing.assert_close(query[b], expected)


def test_cutmix_pastes_one_box_and_says_what_it_leaves() -> None:
    inputs = batch()
    (query, key), samples = edited(kind='cutmix')
    generator, partner = draws()
    share = 1 - float(torch.rand(1, generator=generator)) / 2
    row, column = (int(torch.randint(n, (), generator=generator)) for n in (6, 8))
    tall, wide = (int(n * math.sqrt(1 - share)) // 2 for n in (6, 8))
    expected, outside = inputs[0].clone(), 0
    for r in range(6):
        for c in range(8):
            if row - tall <= r < row + tall and column - wide <= c < column + wide:
                expected[:, :, r, c] = inputs[0][partner, :, r, c]
            else:
                outside += 1
    assert 0 < outside < 48
    assert torch.equal(query, expected) and torch.equal(key, inputs[1])
    assert samples['mix_share'].tolist() == pytest.approx([outside / 48] * 5)
    assert outside / 48 >= share  # a box is cut off, never enlarged


def test_draws_are_those_of_step_and_rank() -> None:
    def drawn(key: StepKey) -> list[float]:
        samples = edited(key)[1]
        return [*samples['mix_partner'].tolist(), *samples['mix_share'].tolist()]

    assert drawn(KEY) == drawn(KEY)
    assert drawn(KEY) != drawn(StepKey(3, 8, 1)) and drawn(KEY) != drawn(StepKey(3, 7, 0))
    assert sorted(edited(None)[1]['mix_partner'].tolist()) == list(range(5))


def test_it_mixes_what_the_algorithm_says_are_queries() -> None:
    inputs = batch()
    (first, second), _ = edited(model=SimpleNamespace(query_views=(1,)))
    assert torch.equal(first, inputs[0]) and not torch.equal(second, inputs[1])


def test_a_batch_of_one_image_is_refused() -> None:
    with pytest.raises(ValueError, match='InstanceMix got a batch of one image.*batch_size'):
        InstanceMix()([torch.rand(1, 3, 4, 4)] * 2, {}, MODEL)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(kind='mix'), "kind is 'mix'; expected one of mixup, cutmix"),
        (dict(alpha=0), 'alpha is 0; expected a number above 0'),
        (dict(alpha=-0.5), 'alpha is -0.5'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        InstanceMix(**settings)


@pytest.mark.parametrize('kind', ['mixup', 'cutmix'])
def test_an_algorithm_trains_on_mixed_queries(kind: str) -> None:
    """The loss is that of the mixed images, and the network that saw them has a gradient."""
    editor = dict(type='InstanceMix', kind=kind)
    model = build_moco(mixing=False, batch_shuffle='none', view_editors=[editor])
    plain = build_moco(mixing=False, batch_shuffle='none')
    assert model.state_dict().keys() == plain.state_dict().keys()
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(KEY)
    data = model.data_preprocessor(views(6), True)
    inputs, samples = model.view_editors[0].edit(data['inputs'], data['data_samples'], model)
    expected = plain(inputs, samples, mode='loss')
    results = model(**data, mode='loss')
    assert torch.equal(results['loss_contrast'], expected['loss_contrast'])
    results['loss_contrast'].backward()
    assert float(model.backbone.conv1.weight.grad.abs().max()) > 0


def test_a_resumed_run_mixes_as_the_straight_one(tmp_path: Path) -> None:
    torch.set_num_threads(1)

    def config(name: str) -> Any:
        torch.manual_seed(0)
        config = runner_config(tmp_path / name, max_epochs=2)
        config.model = moco_config(
            view_editors=[dict(type='InstanceMix', probability=0.7, alpha=0.5)]
        )
        config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=2)
        return config

    assert straight_and_resumed(config, 3)


@pytest.mark.parametrize('kind', ['mixup', 'cutmix'])
def test_an_edit_waits_for_no_host(kind: str) -> None:
    editor = InstanceMix(kind=kind, alpha=0.3).to('meta')
    editor.set_step(StepOfNoGenerator(0, 0))
    inputs = [torch.empty(4, 3, 6, 8, device='meta') for _ in range(2)]
    with on_one_device():
        (query, key), samples = editor(inputs, {}, MODEL)
    assert query.is_meta and query.shape == inputs[0].shape and key is inputs[1]
    assert samples['mix_partner'].shape == samples['mix_share'].shape == (4,)
