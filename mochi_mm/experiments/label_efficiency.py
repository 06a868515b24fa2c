"""Accuracy against the number of labels, for weights from several places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mochi_mm.datasets.subset import balanced_subset
from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.figures import half_interval, markdown, mean_and_spread

ALL = 'all'
#: Where weights are from, in the order of tables.
TITLES = dict(
    random='random weights',
    public='public weights',
    own='own pre-training',
    continued='continued pre-training',
)
#: What is asked of two of them, the first that are there; the second is the reference.
_QUESTIONS = (
    ('continued', 'public'),
    ('own', 'public'),
    ('continued', 'random'),
    ('own', 'random'),
    ('public', 'random'),
)
#: Fewest labels a class of which a fifth is held out to choose the penalty.
CHOOSING = 5
#: Penalty with fewer, where there is nothing to choose by.
FEW_L2 = 1e-2

#: Top-1 in percent by weights and number of labels, one value for each subset.
Accuracies = Mapping[str, Mapping[str, Sequence[float]]]


@dataclass(frozen=True)
class LabeledFeatures:
    """Features of the images of one network.

    Attributes:
        train: (M, C) of the images that labels are drawn of.
        train_labels: (M,) int64.
        test: (T, C) of the images that are classified.
        test_labels: (T,) int64.
    """

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def draw_subsets(names: Sequence[str], labels: Sequence[str], count: int, seed: int) -> dict:
    """Return the rows of every subset by number of labels a class: the same for all weights.

    A subset of fewer labels is part of that of more labels with the same seed. Where all draws are
    the same images, one is kept: equal draws say nothing of the spread.

    Args:
        names: ``class/.../name`` of each training image.
        labels: Numbers of labels a class, or ``all``.
        count: Number of subsets.
        seed: Random seed of the first.

    Returns:
        ``{labels: [rows (n,) int64, ...]}``.

    Raises:
        ValueError: A class with fewer images, or a number below 1.
    """
    position = {name: row for row, name in enumerate(names)}
    found: dict[str, list[Tensor]] = {}
    for wanted in labels:
        if wanted == ALL:
            found[wanted] = [torch.arange(len(names))]
            continue
        draws = [balanced_subset(names, int(wanted), seed + i) for i in range(count)]
        draws = draws if any(draw != draws[0] for draw in draws) else draws[:1]
        found[wanted] = [torch.tensor([position[name] for name in draw]) for draw in draws]
    return found


def probe_accuracy(
    features: LabeledFeatures, rows: Tensor, l2: Sequence[float], device: str = 'cpu'
) -> float:
    """Return the top-1 in percent of the fast linear probe on some labeled images.

    Args:
        features: Those of one network.
        rows: (n,) training images whose labels are known.
        l2: Penalties; of several the best on a held-out fifth is taken, and where a class has
            fewer than :data:`CHOOSING` labels, :data:`FEW_L2`.
        device: Device to compute on.
    """
    x, y = features.train[rows], features.train_labels[rows]
    classes = int(max(features.train_labels.max(), features.test_labels.max())) + 1
    fewest = int(torch.bincount(y, minlength=classes).min())
    chosen = FEW_L2 if len(l2) > 1 else l2[0]
    if fewest >= CHOOSING:
        chosen, _ = choose_l2(x, y, l2, device=device)
    probe = fit_linear(x, y, chosen, classes, device=device)
    return probe.accuracy(features.test, features.test_labels)['top1']


def measure_labels(
    features: LabeledFeatures,
    subsets: Mapping[str, Sequence[Tensor]],
    l2: Sequence[float] = L2_GRID,
    device: str = 'cpu',
) -> dict[str, list[float]]:
    """Return the accuracy of one network by number of labels, one value for each subset."""
    return {
        labels: [probe_accuracy(features, rows, l2, device) for rows in draws]
        for labels, draws in subsets.items()
    }


def question(weights: Sequence[str]) -> tuple[str, str] | None:
    """Return the two weights whose difference answers whether it is worth it."""
    return next((pair for pair in _QUESTIONS if set(pair) <= set(weights)), None)


def differences(found: Accuracies, pair: tuple[str, str]) -> dict[str, tuple[float, float]]:
    """Return mean and half 95 % interval (Student's t; NaN of one) by number of labels."""
    first, second = (found[name] for name in pair)
    result = {}
    for labels, values in first.items():
        each = [a - b for a, b in zip(values, second[labels], strict=True)]
        mean, spread = mean_and_spread(each)
        result[labels] = mean, half_interval(spread, len(each))
    return result


def label_sentence(found: Accuracies) -> str:
    """Return one sentence that says what the figures say, also where nothing shows."""
    pair = question(list(found))
    if pair is None:
        return 'With one kind of weights there is nothing to compare.'
    parts = []
    for labels, (mean, half) in differences(found, pair).items():
        where = 'with all labels' if labels == ALL else f'with {labels} labels a class'
        if np.isnan(half):
            parts.append(f'{where} {mean:+.1f} points of one draw, which decides nothing')
            continue
        interval = f'95 % interval {mean - half:+.1f} to {mean + half:+.1f}'
        if abs(mean) > half:
            word = 'gains' if mean > 0 else 'loses'
            parts.append(f'{where} it {word} {abs(mean):.1f} points ({interval})')
        else:
            parts.append(f'{where} nothing shows ({mean:+.1f} points, {interval})')
    first, second = (TITLES[name] for name in pair)
    return f'{first.capitalize()} against {second}: {"; ".join(parts)}.'


def label_table(found: Accuracies) -> str:
    """Return a Markdown table: mean and spread over the subsets, and the difference asked for."""
    labels = list(next(iter(found.values())))
    heads = ['all' if name == ALL else f'{name} a class' for name in labels]
    rows = [['top-1 in percent', *heads]]
    for weights, values in found.items():
        rows.append([TITLES[weights], *(_cell(values[name]) for name in labels)])
    pair = question(list(found))
    if pair is not None:
        cells = [_difference(*value) for value in differences(found, pair).values()]
        rows.append([f'{TITLES[pair[0]]} less {TITLES[pair[1]]}, 95 % interval', *cells])
    return markdown(rows)


def _cell(values: Sequence[float]) -> str:
    mean, spread = mean_and_spread(values)
    return f'{mean:.1f}' if len(values) == 1 else f'{mean:.1f} ± {spread:.1f}'


def _difference(mean: float, half: float) -> str:
    return f'{mean:+.1f}' if np.isnan(half) else f'{mean - half:+.1f} to {mean + half:+.1f}'
