"""When an editor edits, what it is given, and that a run with one resumes bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from torch import Tensor

from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.randomness import StepKey
from mochi_mm.registry import HOOKS, MODELS
from tests.models.algorithms.toy import build_moco, views
from tests.toy_runner import runner_config, train


@MODELS.register_module(force=True)
class MixOtherClass(BaseViewEditor):
    """Mixes each image with one of another class, where the model is trained."""

    def __init__(self, share: float = 0.25, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share = share
        self.steps: list[int | None] = []

    def edit(
        self, inputs: list[Tensor], samples: Any, model: Any
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        self.steps.append(None if self.step_key is None else self.step_key.iteration)
        labels, device = samples['gt_label'], inputs[0].device
        other = labels[:, None] != labels  # (B, B)
        draws = torch.rand(other.shape, generator=self.generator(device), device=device)
        partner = draws.masked_fill(~other, -1.0).argmax(1)  # (B,)
        share = self.share * model.training
        mixed = [(1 - share) * view + share * view[partner] for view in inputs]
        return mixed, dict(samples, partner=partner)


@MODELS.register_module(force=True)
class AnotherEditor(MixOtherClass):
    """The same under another name."""


def batch() -> tuple[list[Tensor], dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.rand(6, 3, 4, 4, generator=generator) for _ in range(2)]
    return inputs, dict(gt_label=torch.tensor([0, 0, 1, 1, 2, 2]), sample_idx=torch.arange(6))


def edited_steps(editor: Any, rank: int, steps: int = 400, seed: int = 0) -> list[int]:
    """The steps out of ``steps`` in which the editor edits."""
    inputs, samples = batch()
    editor.steps = []
    for iteration in range(steps):
        editor.set_step(StepKey(seed, iteration, rank))
        editor(inputs, samples, torch.nn.Identity())
    return editor.steps


def test_an_edit_sees_labels_generator_and_model_and_leaves_the_batch_alone() -> None:
    editor = MixOtherClass()
    inputs, samples = batch()
    kept = [view.clone() for view in inputs]
    key = StepKey(3, 7, 1)
    editor.set_step(key)
    mixed, more = editor(inputs, samples, torch.nn.Identity().train())
    draws = torch.rand(6, 6, generator=key.generator('view editor MixOtherClass'))
    for image, label in enumerate(samples['gt_label'].tolist()):
        others = [j for j in range(6) if int(samples['gt_label'][j]) != label]
        partner = max(others, key=lambda j: float(draws[image, j]))
        assert int(more['partner'][image]) == partner
        for view, result in zip(inputs, mixed, strict=True):
            torch.testing.assert_close(result[image], 0.75 * view[image] + 0.25 * view[partner])
    assert set(more) == {'gt_label', 'sample_idx', 'partner'} and 'partner' not in samples
    for view, before in zip(inputs, kept, strict=True):
        assert torch.equal(view, before)
    unmixed, _ = editor(inputs, samples, torch.nn.Identity().eval())
    assert all(torch.equal(a, b) for a, b in zip(unmixed, inputs, strict=True))


def test_draws_differ_by_step_rank_and_kind_and_are_torchs_own_without_a_key() -> None:
    def drawn(editor: BaseViewEditor, key: StepKey | None, per_rank: bool = True) -> list[float]:
        if key is not None:
            editor.set_step(key)
        return torch.rand(4, generator=editor.generator('cpu', per_rank)).tolist()

    key, other = StepKey(0, 1, 0), StepKey(0, 1, 1)
    assert MixOtherClass().generator('cpu') is None
    assert drawn(MixOtherClass(), key) == drawn(MixOtherClass(), key)
    assert drawn(MixOtherClass(), key) != drawn(MixOtherClass(), other)
    assert drawn(MixOtherClass(), key, False) == drawn(MixOtherClass(), other, False)
    assert drawn(MixOtherClass(), key) != drawn(MixOtherClass(), StepKey(0, 2, 0))
    assert drawn(MixOtherClass(), key) != drawn(AnotherEditor(), key)


def test_the_share_of_steps_is_keyed_and_the_same_on_all_ranks() -> None:
    steps = edited_steps(MixOtherClass(probability=0.3), rank=0)
    assert 80 < len(steps) < 160
    assert edited_steps(MixOtherClass(probability=0.3), rank=1) == steps
    assert edited_steps(MixOtherClass(probability=0.3), rank=0, seed=1) != steps
    assert edited_steps(MixOtherClass(probability=1.0), rank=0, steps=5) == list(range(5))
    # A step of the one is no step of the other: that would tie edits together.
    others = edited_steps(AnotherEditor(probability=0.3), rank=0)
    assert 10 < len({*steps} & {*others}) < 70


def test_two_editors_of_one_class_draw_apart() -> None:
    """The first as if it were alone, the second a stream of its own, for edits and for steps."""
    editors = [dict(type='MixOtherClass', probability=0.3), dict(type='AnotherEditor')]
    both = build_moco(mixing=False, view_editors=[*editors, editors[0]]).view_editors
    assert [editor.place for editor in both] == [0, 0, 1]
    key = StepKey(0, 5)
    for editor in both:
        editor.set_step(key)
    draws = [torch.rand(4, generator=editor.generator('cpu')) for editor in both]
    alone = torch.rand(4, generator=key.generator('view editor MixOtherClass'))
    assert torch.equal(draws[0], alone)
    assert len({tuple(drawn.tolist()) for drawn in draws}) == 3
    first, second = edited_steps(both[0], rank=0), edited_steps(both[2], rank=0)
    assert first == edited_steps(MixOtherClass(probability=0.3), rank=0)
    assert 10 < len({*first} & {*second}) < 70
    assert edited_steps(both[2], rank=1) == second


def test_nothing_is_edited_before_the_first_epoch() -> None:
    editor = MixOtherClass(start_epoch=2)
    inputs, samples = batch()
    for epoch in range(4):
        editor.set_epoch(epoch, 4)
        results, more = editor(inputs, samples, torch.nn.Identity())
        assert (results is inputs and more is samples) is (epoch < 2)
    with pytest.raises(
        ValueError, match='start_epoch of MixOtherClass is 2 but the run ends after'
    ):
        editor.set_epoch(0, 2)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(start_epoch=-1), 'start_epoch is -1; expected an integer >= 0'),
        (dict(start_epoch=1.5), 'start_epoch is 1.5'),
        (
            dict(probability=0),
            r'probability of .* is 0; expected the share .* take it out of view_edit',
        ),
        (dict(probability=1.2), 'probability of .* is 1.2'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixOtherClass(**settings)
    with pytest.raises(TypeError, match='abstract'):
        BaseViewEditor()  # type: ignore[abstract]


def test_an_algorithm_edits_its_training_batches() -> None:
    model = build_moco(
        mixing=False, batch_shuffle='none', view_editors=[dict(type='MixOtherClass')]
    )
    plain = build_moco(mixing=False, batch_shuffle='none')
    assert model.state_dict().keys() == plain.state_dict().keys()
    data = model.data_preprocessor(views(6), True)
    for module in model.modules():
        if hasattr(module, 'set_step'):
            module.set_step(StepKey(0, 0))
    inputs, samples = model.view_editors[0].edit(data['inputs'], data['data_samples'], model)
    expected = plain(inputs, samples, mode='loss')['loss_contrast']
    assert torch.equal(model(**data, mode='loss')['loss_contrast'], expected)
    features = model(data['inputs'][:1], mode='tensor')
    torch.testing.assert_close(features, plain(data['inputs'][:1], mode='tensor'))


@HOOKS.register_module(force=True)
class StopAfterIteration(Hook):
    """Ends a run the hard way, after what it does in an iteration is saved."""

    priority = 'LOWEST'

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations

    def after_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        if runner.iter + 1 == self.iterations:
            raise KeyboardInterrupt


def test_a_resumed_run_edits_as_the_straight_one(tmp_path: Path) -> None:
    """Interrupted within the second epoch; the third starts the second editor."""
    torch.set_num_threads(1)
    editors = [
        dict(type='MixOtherClass', probability=0.5),
        dict(type='AnotherEditor', start_epoch=2, share=0.1),
    ]

    def config(name: str) -> Any:
        torch.manual_seed(0)
        config = runner_config(tmp_path / name, max_epochs=3)
        config.model.view_editors = editors
        config.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=2)
        return config

    straight = train(config('straight'))
    first = config('parts')
    first.custom_hooks = [dict(type='StopAfterIteration', iterations=7)]
    with pytest.raises(KeyboardInterrupt):
        train(first)
    second = config('parts')
    second.resume, second.experiment_name = True, second.experiment_name + 'resumed'
    resumed = train(second)
    for name, value in straight.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    # Interrupted after 7 of 12 steps, of which 6 were saved.
    steps = [editor.steps for editor in straight.model.view_editors]
    assert 0 < len(steps[0]) < 12 and steps[1] == [8, 9, 10, 11]
    again = [editor.steps for editor in resumed.model.view_editors]
    assert again == [[i for i in own if i >= 6] for own in steps]
