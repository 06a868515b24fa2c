"""FairKL: worked values of the parts, a slow loop, groups without pairs."""

from __future__ import annotations

import math
from statistics import fmean, pstdev, pvariance, stdev

import pytest
import torch

from mochi_mm.models.functional.fair_kl import FORMS, fair_kl
from tests.reference import dot, random_units

ROWS = torch.tensor([(1, 0), (0.8, 0.6), (0.6, 0.8), (0, 1), (-0.28, 0.96), (0.96, 0.28)])
SAMPLES = dict(
    gt_label=torch.tensor([0, 0, 0, 1, 1, 1]), bias_label=torch.tensor([0, 0, 1, 1, 1, 0])
)


def test_worked_values_of_the_parts() -> None:
    rows = ROWS.double()
    cosine = rows @ rows.T
    same_class, same_bias = (x[:, None] == x for x in SAMPLES.values())
    # A class without conflicting pairs is left out.
    positive = fair_kl(cosine, same_class, same_bias | ~same_class, 'gaussian')
    negative = fair_kl(cosine, same_class, same_bias | same_class, 'gaussian')
    assert float(positive) == pytest.approx(1.711264, abs=1e-6)
    assert float(negative) == pytest.approx(1.487214, abs=1e-6)
    gaps = fair_kl(cosine, same_class, same_bias, 'released', spread=0.0)
    linear = cosine[~same_class & same_bias].mean() - cosine[same_class & ~same_bias].mean()
    assert float(gaps - linear) == pytest.approx(0.522540, abs=1e-6)


def fair_kl_loop(rows: torch.Tensor, labels: list[int], biases: list[int], form: str) -> float:
    n, total = len(rows), 0.0
    for same in (True, False):
        cosines: dict[bool, list[float]] = {True: [], False: []}
        padded: dict[bool, list[float]] = {True: [], False: []}
        for i in range(n):
            for j in range(n):
                cosine = dot(rows[i], rows[j])
                for aligned in (True, False):
                    member = (labels[i] == labels[j]) == same
                    member &= (biases[i] == biases[j]) == aligned
                    if member and (form == 'released' or i != j):
                        cosines[aligned].append(cosine)
                    padded[aligned].append(cosine if member else 0.0)
        a, c = cosines[True], cosines[False]
        if form == 'released':
            a, c = a or [0.0], c or [0.0]  # the authors divide an empty sum by one
            total += (fmean(a) - fmean(c)) ** 2 + 0.7 * (
                stdev(padded[True]) - stdev(padded[False])
            ) ** 2
            total += -fmean(c) if same else fmean(a)
        elif form == 'moments':
            total += (fmean(a) - fmean(c)) ** 2 + 0.7 * (pstdev(a) - pstdev(c)) ** 2
        else:
            va, vc = pvariance(a), pvariance(c)
            total += math.log(vc / va) / 2 + (va + (fmean(a) - fmean(c)) ** 2) / (2 * vc) - 0.5
    return total


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('n', [7, 12])
def test_equals_the_loop(form: str, n: int) -> None:
    rows = random_units(n, 5, n)
    labels, biases = torch.arange(n) % 2, torch.arange(n) // 2 % 2
    value = fair_kl(
        rows @ rows.T, labels[:, None] == labels, biases[:, None] == biases, form, spread=0.7
    )
    expected = fair_kl_loop(rows, labels.tolist(), biases.tolist(), form)
    assert float(value) == pytest.approx(expected, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize('form', FORMS)
def test_groups_without_pairs_are_left_out(form: str) -> None:
    """With bias and class the same there is no conflicting positive and no aligned negative."""
    rows = random_units(6, 4, 0).requires_grad_()
    labels = torch.arange(6) % 3
    same = labels[:, None] == labels
    value = fair_kl(rows @ rows.T, same, same, form)
    value.backward()
    assert float(value.detach()) == 0
    assert rows.grad is not None and rows.grad.abs().sum() == 0
