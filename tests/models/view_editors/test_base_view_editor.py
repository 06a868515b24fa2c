"""When an editor edits, what it is given, and which draws it makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.randomness import StepKey

VIEWS = [torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)]
SAMPLES = dict(gt_label=torch.tensor([0, 1]))


class AddNoise(BaseViewEditor):
    """Adds one number drawn from the step's generator, and says so."""

    per_rank = True

    def edit(self, inputs: list[Tensor], samples: Any, model: Any) -> Any:
        drawn = torch.rand((), generator=self.generator('cpu', self.per_rank))
        return [view + drawn for view in inputs], dict(samples, drawn=drawn, model=model)


def test_edits_copies_with_samples_and_model() -> None:
    editor, model = AddNoise(), object()
    editor.set_step(StepKey(0, 3))
    views, samples = editor(VIEWS, SAMPLES, model)
    for view, before in zip(views, VIEWS, strict=True):
        assert torch.equal(view, before + samples['drawn'])
    assert samples['model'] is model and samples['gt_label'] is SAMPLES['gt_label']
    assert VIEWS[0].eq(0).all() and 'drawn' not in SAMPLES


def test_waits_for_its_epoch() -> None:
    editor = AddNoise(start_epoch=2)
    for epoch, edits in ((0, False), (1, False), (2, True), (4, True)):
        editor.set_epoch(epoch, 5)
        views, samples = editor(VIEWS, SAMPLES, None)
        assert ('drawn' in samples) == edits and (views is VIEWS) != edits
    with pytest.raises(ValueError, match='start_epoch of AddNoise is 2 but the run ends after 2 ep'):
        editor.set_epoch(0, 2)


def edited(editor: AddNoise, seed: int, rank: int) -> list[bool]:
    result = []
    for iteration in range(400):
        editor.set_step(StepKey(seed, iteration, rank))
        result.append('drawn' in editor(VIEWS, SAMPLES, None)[1])
    return result


def test_edits_a_share_of_the_steps_the_same_on_all_ranks() -> None:
    editor = AddNoise(probability=0.3)
    first = edited(editor, 0, 0)
    assert first == edited(editor, 0, 0) == edited(editor, 0, 1) != edited(editor, 1, 0)
    assert sum(first) / 400 == pytest.approx(0.3, abs=5 * (0.21 / 400) ** 0.5)


def test_draws_are_keyed_by_the_step_and_by_the_rank_on_demand() -> None:
    editor = AddNoise()

    def drawn(key: StepKey, per_rank: bool) -> float:
        editor.per_rank = per_rank
        editor.set_step(key)
        return float(editor(VIEWS, SAMPLES, None)[1]['drawn'])

    assert drawn(StepKey(0, 1), True) == drawn(StepKey(0, 1), True)
    assert len({drawn(key, True) for key in (StepKey(0, 1), StepKey(0, 2), StepKey(0, 1, 1))}) == 3
    assert drawn(StepKey(0, 1, 0), False) == drawn(StepKey(0, 1, 1), False)
    assert AddNoise().generator('cpu') is None


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(probability=0), r'probability is 0; expected the share of steps that edit, in \(0, 1'),
        (dict(probability=1.5), 'probability is 1.5'),
        (dict(start_epoch=-1), 'start_epoch is -1; expected an integer >= 0'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AddNoise(**settings)
