"""The moving average of parameters: values, decays that are refused."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.ema import check_ema_decay, ema_update


@pytest.mark.parametrize('ema_decay', [0.5, 0.99, 0.999])
def test_equals_the_loop(ema_decay: float) -> None:
    shapes = [(3,), (2, 4), ()]
    targets = [torch.randn(s, generator=torch.Generator().manual_seed(1)) for s in shapes]
    sources = [torch.randn(s, generator=torch.Generator().manual_seed(2)) for s in shapes]
    expected = [t.double() for t in targets]
    for _ in range(3):
        ema_update(iter(targets), iter(sources), ema_decay)
        expected = [
            ema_decay * t + (1 - ema_decay) * s.double()
            for t, s in zip(expected, sources, strict=True)
        ]
    for target, value in zip(targets, expected, strict=True):
        torch.testing.assert_close(target.double(), value, rtol=1e-6, atol=1e-6)


def test_parameters_are_moved_in_place_without_gradient() -> None:
    target = torch.nn.Parameter(torch.zeros(2))
    source = torch.nn.Parameter(torch.ones(2))
    ema_update([target], [source], 0.75)
    assert target.tolist() == [0.25, 0.25] and source.tolist() == [1, 1] and target.grad is None


@pytest.mark.parametrize('ema_decay', [0.5, 0.999])
def test_weights_of_the_old_value_are_accepted(ema_decay: float) -> None:
    check_ema_decay(ema_decay)
    average = torch.tensor([1.0, -2.0])
    ema_update([average], [torch.tensor([3.0, 2.0])], ema_decay)
    expected = [ema_decay + (1 - ema_decay) * 3, -2 * ema_decay + (1 - ema_decay) * 2]
    assert average.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ('ema_decay', 'message'),
    [
        (0.0, r'such as 0\.999\.$'),
        (0.001, r'ema_decay is 0.001; .*of the old value, in \[0.5, 1\).*write ema_decay=0.999'),
        (1, 'ema_decay is 1; expected the weight of the old value'),
        (-0.1, 'ema_decay is -0.1'),
        (float('nan'), 'ema_decay is nan'),
    ],
)
def test_other_weights_are_refused(ema_decay: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_ema_decay(ema_decay)
