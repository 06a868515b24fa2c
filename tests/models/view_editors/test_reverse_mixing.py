"""Mixed second views: the definition, the draws of the share, what is refused, a resumed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.models.view_editors import ReverseMixing
from mochi_mm.randomness import StepKey
from tests.models.view_editors.runs import assert_resumes
from tests.models.view_editors.test_check_classes import facts

LABELS = torch.tensor([2, 0, 0, 2, 1])


@pytest.mark.parametrize('share', [0.2, 0.5, 0.9])
@pytest.mark.parametrize('size', [1, 2, 5])
def test_the_second_view_is_mixed_by_the_definition(share: float, size: int) -> None:
    inputs = [torch.rand(size, 3, 4, 4) for _ in range(2)]
    kept = [view.clone() for view in inputs]
    editor = ReverseMixing(own_share=share)
    (first, mixed), samples = editor(inputs, dict(gt_label=LABELS[:size]), None)
    assert torch.equal(first, inputs[0]) and editor.made(2) == (1,)
    for b in range(size):
        other = size - 1 - b
        expected = share * inputs[1][b].double() + (1 - share) * inputs[1][other].double()
        torch.testing.assert_close(mixed[b].double(), expected, rtol=0, atol=1e-6)
        assert int(samples['partner_label'][b]) == int(LABELS[other])
    torch.testing.assert_close(samples['own_share'], torch.full((size,), share))
    assert all(torch.equal(a, b) for a, b in zip(inputs, kept, strict=True))


def shares(editor: ReverseMixing, rank: int = 0, steps: int = 4000, seed: int = 0) -> torch.Tensor:
    found = []
    for iteration in range(steps):
        editor.set_step(StepKey(seed, iteration, rank))
        found.append(editor._share())
    return torch.tensor(found)


@pytest.mark.parametrize('alpha', [None, 0.5, 2.0])
def test_shares_are_drawn_from_beta_once_a_step_for_all_ranks(alpha: float | None) -> None:
    drawn = shares(ReverseMixing(alpha=alpha))
    a = 0.5 if alpha is None else alpha
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(drawn.var()) == pytest.approx(1 / (4 * (2 * a + 1)), rel=0.1)
    assert torch.equal(drawn[:50], shares(ReverseMixing(alpha=a), rank=1, steps=50))
    assert not torch.equal(drawn[:50], shares(ReverseMixing(alpha=a), seed=1, steps=50))
    assert float(drawn.min()) >= 0 and float(drawn.max()) <= 1 and len(drawn.unique()) > 3900


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(own_share=0), r'own_share is 0; expected a share inside \(0, 1\)'),
        (dict(own_share=1.0), 'own_share is 1.0'),
        (dict(alpha=0), 'alpha is 0; expected a number above 0'),
        (dict(alpha=-0.5), 'alpha is -0.5'),
        (dict(own_share=0.5, alpha=0.5), 'own_share is 0.5 and alpha is 0.5; expected one of'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReverseMixing(**settings)


def test_bad_batches() -> None:
    views = [torch.rand(2, 3, 4, 4)] * 3
    with pytest.raises(ValueError, match='ReverseMixing needs gt_label for every sample, got none'):
        ReverseMixing()(views[:2], {}, None)
    with pytest.raises(ValueError, match='got unknown'):
        ReverseMixing().check_samples(dict(gt_label=torch.tensor([0, -1])))
    with pytest.raises(ValueError, match='3 views; ReverseMixing mixes the second of two'):
        ReverseMixing()(views, dict(gt_label=torch.arange(2)), None)


def test_a_training_set_without_labels_is_refused() -> None:
    with pytest.raises(ValueError, match='ReverseMixing mixes images .* 1 images without a label'):
        ReverseMixing().set_data(facts([1, -1, 1]))
    ReverseMixing().set_data(facts([1, 1]))
    ReverseMixing(label_key='kind').set_data(facts([1, -1, 1]))


def test_a_resumed_run_equals_the_straight_one(tmp_path: Path) -> None:
    assert_resumes(tmp_path, [dict(type='ReverseMixing')], dict(type='SupMixHead'))
