"""Logistic regression: at its optimum, equal to scikit-learn's, chosen on held-out samples."""

from __future__ import annotations

import math

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mochi_mm.evaluation.linear_classifier import choose_l2, fit_linear, held_out


def data(count: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    centers = torch.randn(classes, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(count, 5, generator=generator, dtype=torch.float64)
    return centers[labels] + noise * 1.5 + 3, labels


@pytest.mark.parametrize(('classes', 'chunk'), [(2, 65536), (7, 13)])
def test_it_is_the_optimum(classes: int, chunk: int) -> None:
    x, y = data(61, classes, 0)
    found = fit_linear(x, y, l2=0.02, chunk=chunk)
    z = (x - x.mean(0)) / x.std(0, unbiased=False)
    gradient = 0.02 * found.weight.clone()
    slope = torch.zeros(classes, dtype=torch.float64)
    for row, label in zip(z, y.tolist(), strict=True):
        logits = [float(row @ found.weight[:, c] + found.bias[c]) for c in range(classes)]
        total = sum(math.exp(value) for value in logits)
        for c in range(classes):
            error = (math.exp(logits[c]) / total - (c == label)) / len(z)
            gradient[:, c] += error * row
            slope[c] += error
    assert gradient.abs().max() < 1e-5 and slope.abs().max() < 1e-5
    if classes == 2:  # scikit-learn has one weight there, with another penalty
        return
    theirs = LogisticRegression(C=1 / (0.02 * len(x)), tol=1e-10, max_iter=10000).fit(z, y)
    mine = found.scores(x).softmax(dim=1)
    torch.testing.assert_close(
        mine, torch.from_numpy(theirs.predict_proba(z.numpy())), atol=2e-4, rtol=0
    )


def test_a_fit_that_ends_at_its_bound_warns(recwarn: pytest.WarningsRecorder) -> None:
    x, y = data(61, 3, 0)
    fit_linear(x, y, 0.02)
    assert not recwarn.list
    with pytest.warns(UserWarning, match='l2 0.02 was stopped after 3 iterations'):
        fit_linear(x, y, 0.02, max_iter=3)


def test_accuracy_counts() -> None:
    x, y = data(50, 7, 1)
    found = fit_linear(x, y, 0.01)
    order = found.scores(x).argsort(dim=1, descending=True)
    top1 = sum(int(order[i, 0] == y[i]) for i in range(50))
    top5 = sum(int(y[i] in order[i, :5]) for i in range(50))
    assert found.accuracy(x, y, chunk=17) == dict(top1=2.0 * top1, top5=2.0 * top5)
    assert set(fit_linear(x, y % 3, 0.01).accuracy(x, y % 3)) == {'top1'}


def test_the_choice_is_the_best_on_what_was_held_out() -> None:
    x, y = data(80, 4, 2)
    values = [1e-6, 0.01, 10.0]
    best, tried = choose_l2(x, y, values, seed=3)
    train, kept = held_out(y, 0.2, 3)
    assert sorted([*train.tolist(), *kept.tolist()]) == list(range(80))
    assert torch.bincount(y[kept]).tolist() == [4] * 4
    wanted = {
        v: fit_linear(x[train], y[train], v, 4).accuracy(x[kept], y[kept])['top1'] for v in values
    }
    assert tried == wanted and wanted[best] == max(wanted.values())
    assert choose_l2(x, y, [0.5]) == (0.5, {})


def test_mistakes() -> None:
    x, y = data(20, 4, 0)
    lone = y.clone()
    lone[0] = 4
    with pytest.raises(ValueError, match='class 4 has 1.*one value of l2'):
        choose_l2(x, lone, [0.1, 1.0])
    fit_linear(x, lone, 0.1)  # which needs no split
    for change, message in [
        (dict(l2=0.0), 'expected l2 > 0'),
        (dict(labels=y - 1), 'smallest label -1'),
        (dict(labels=0 * y + 2), 'all 20 samples are of the class 2'),
        (dict(features=x * math.nan), 'not finite'),
    ]:
        arguments = {**dict(features=x, labels=y, l2=0.1), **change}
        with pytest.raises(ValueError, match=message):
            fit_linear(**arguments)  # type: ignore[arg-type]


def test_top1_of_groups_of_classes() -> None:
    """Training samples 9, 5 and 2 of three classes; groups above 6, and below 4."""
    x, y = data(30, 3, 0)
    probe = fit_linear(x, y, l2=0.02)
    queries, labels = data(21, 3, 1)
    right = probe.scores(queries).argmax(1) == labels
    found = probe.by_group(queries, labels, torch.tensor([9, 5, 2]), (6, 4))
    assert found == {
        name: pytest.approx(100 * float(right[labels == c].double().mean()))
        for c, name in enumerate(['many_over6', 'medium_4to6', 'few_below4'])
    }


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_test_features_that_are_not_finite_are_not_scored(bad: float) -> None:
    x, y = data(30, 3, 0)
    probe = fit_linear(x, y, l2=0.02)
    broken = x.clone()
    broken[[4, 11], 2] = bad
    message = '2 of 30 samples have logits that are not finite'
    with pytest.raises(ValueError, match=message):
        probe.scores(broken)
    with pytest.raises(ValueError, match=message):
        probe.accuracy(broken, y)
    with pytest.raises(ValueError, match=message):
        probe.by_group(broken, y, torch.tensor([9, 5, 2]), (6, 4))


@pytest.mark.parametrize('scale', [1e-20, 1e18])
def test_the_scale_of_the_features_does_not_matter(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 3
    x = torch.randn(60, 4, generator=generator) + 4 * torch.eye(3, 4)[y]
    plain, scaled = (fit_linear(f, y, 1e-3).scores(f) for f in (x, x * scale))
    torch.testing.assert_close(scaled, plain, rtol=1e-3, atol=1e-3)
