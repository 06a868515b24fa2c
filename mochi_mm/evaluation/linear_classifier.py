"""Multinomial logistic regression on features, to its optimum."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.evaluation.class_groups import group_accuracy, hits_by_class
from mochi_mm.evaluation.finite_scores import finite_scores
from mochi_mm.utils.progress import progress_bar

#: What l2 is chosen from, in the tool and in the evidence.
L2_GRID = (1e-4, 1e-3, 1e-2)


@dataclass(frozen=True)
class LinearClassifier:
    """A linear classifier on standardized features.

    Attributes:
        mean: (C,) of the training features.
        std: (C,) likewise.
        weight: (C, classes).
        bias: (classes,).
    """

    mean: Tensor
    std: Tensor
    weight: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Return (n, classes) logits of (n, C) features.

        Raises:
            ValueError: One is not finite; so do :meth:`accuracy` and :meth:`by_group`.
        """
        rows = (features.to(self.mean) - self.mean) / self.std
        return finite_scores(rows @ self.weight + self.bias)

    def accuracy(self, features: Tensor, labels: Tensor, chunk: int = 8192) -> dict[str, float]:
        """Return ``top1`` and, with more than five classes, ``top5``, in percent."""
        ks = (1, 5) if len(self.bias) > 5 else (1,)
        hits = torch.zeros(len(ks), dtype=torch.int64)
        for rows in torch.arange(len(features)).split(chunk):
            order = self.scores(features[rows]).topk(max(ks), dim=1).indices.cpu()
            right = order == labels[rows, None]
            hits += torch.stack([right[:, :k].any(dim=1).sum() for k in ks])
        return {f'top{k}': 100 * int(n) / len(features) for k, n in zip(ks, hits, strict=True)}

    def by_group(
        self, features: Tensor, labels: Tensor, counts: Tensor, cuts: tuple[int, int]
    ) -> dict[str, float]:
        """Return top-1 in percent of classes with many, medium and few training samples.

        Args:
            features: (n, C).
            labels: (n,).
            counts: (classes,) training samples of each class.
            cuts: Samples above which a class has many, and below which it has few.
        """
        found = [self.scores(part).argmax(dim=1).cpu() for part in features.split(8192)]
        hits, totals = hits_by_class(torch.cat(found) == labels, labels, len(counts))
        return group_accuracy(hits, totals, counts, cuts)


def fit_linear(
    features: Tensor,
    labels: Tensor,
    l2: float,
    num_classes: int | None = None,
    max_iter: int = 1000,
    chunk: int = 65536,
    device: torch.device | str = 'cpu',
) -> LinearClassifier:
    """Return the minimizer of ``mean cross-entropy + l2 / 2 * |weight|^2`` over (W, b).

    Features are standardized with their own mean and standard deviation; the bias is not
    penalized; L-BFGS on all samples, so no learning rate and no order of samples enters.

    Args:
        features: (n, C).
        labels: (n,) 0 to classes - 1.
        l2: Weight of the penalty, above 0.
        num_classes: Number of classes, where labels do not show all of them.
        max_iter: Bound of iterations; a fit that ends there is not the minimizer, and warns.
        chunk: Samples in one pass.
        device: Device to compute on.

    Raises:
        ValueError: l2 not positive, missing labels, a single class, features not finite.
    """
    _check(features, labels, l2)
    x, y = features.to(device), labels.to(device)
    mean, std = _moments(x)
    classes = num_classes or int(y.max()) + 1
    weight = torch.zeros(x.shape[1], classes, dtype=x.dtype, device=device, requires_grad=True)
    bias = torch.zeros(classes, dtype=x.dtype, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=max_iter,
        max_eval=25 * max_iter,  # as many as the line searches may take: iterations are the bound
        history_size=20,
        tolerance_grad=1e-7,
        tolerance_change=1e-12,
        line_search_fn='strong_wolfe',
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = l2 / 2 * weight.square().sum()
        loss.backward()
        total = loss.detach()
        for rows in torch.arange(len(x), device=device).split(chunk):
            logits = (x[rows] - mean) / std @ weight + bias
            part = F.cross_entropy(logits, y[rows], reduction='sum') / len(x)
            part.backward()
            total = total + part.detach()
        return total

    with torch.enable_grad():
        optimizer.step(closure)
    _warn_of_bound(optimizer.state[weight]['n_iter'], max_iter, l2)
    return LinearClassifier(mean, std, weight.detach(), bias.detach())


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation (C,) of rows (n, C) of any scale, none of them 0.

    Rows are divided by a power of two first, which is exact, so that no square vanishes.
    """
    exponent = torch.frexp(x.abs().max()).exponent
    scaled = torch.ldexp(x, -exponent)
    std = scaled.std(dim=0, unbiased=False).clamp_min(1e-6)  # a channel that is constant
    return torch.ldexp(scaled.mean(dim=0), exponent), torch.ldexp(std, exponent)


def _warn_of_bound(iterations: int, bound: int, l2: float) -> None:
    if iterations >= bound:
        warnings.warn(
            f'the linear classifier with l2 {l2:g} was stopped after {bound} iterations and is '
            'not at its optimum; a larger l2 needs fewer, a larger max_iter allows more.',
            stacklevel=3,
        )


def _check(features: Tensor, labels: Tensor, l2: float) -> None:
    if not l2 > 0 or len(features) == 0 or bool((labels < 0).any()):
        raise ValueError(
            f'l2={l2}, {len(features)} samples, smallest label '
            f'{int(labels.min()) if len(labels) else "none"}; expected l2 > 0 and labels from 0 on.'
        )
    if len(labels.unique()) < 2:
        raise ValueError(
            f'all {len(labels)} samples are of the class {int(labels[0])}, which any classifier '
            'gets right; expected at least two classes to tell apart.'
        )
    if not bool(torch.isfinite(features).all()):
        raise ValueError('the features are not finite; the network has diverged.')


def held_out(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return the rows to train on and the rows to choose by: a stratified split.

    Raises:
        ValueError: A class with a single sample, or fewer samples to hold out than classes.
    """
    from sklearn.model_selection import train_test_split

    classes, counts = np.unique(labels.numpy(), return_counts=True)
    if counts.min() < 2 or round(share * len(labels)) < len(classes):
        few = int(classes[counts.argmin()])
        raise ValueError(
            f'{len(labels)} samples of {len(classes)} classes cannot be split to choose l2: class '
            f'{few} has {int(counts.min())} and {share:.0%} are held out. Expected two samples of '
            'each class and one held out of each; give one value of l2, which needs no choice.'
        )
    rows = train_test_split(
        np.arange(len(labels)), test_size=share, random_state=seed, stratify=labels.numpy()
    )
    return torch.from_numpy(rows[0]), torch.from_numpy(rows[1])


def choose_l2(
    features: Tensor,
    labels: Tensor,
    values: Sequence[float],
    share: float = 0.2,
    seed: int = 0,
    device: torch.device | str = 'cpu',
) -> tuple[float, dict[float, float]]:
    """Return the best of ``values`` by top-1 on held-out training samples, and all top-1.

    Raises:
        ValueError: No value, or samples that cannot be split.
    """
    if not values:
        raise ValueError('no value of l2 was given; expected at least one.')
    if len(values) == 1:
        return values[0], {}
    train, chosen = held_out(labels, share, seed)
    classes = int(labels.max()) + 1
    found = {}
    for value in progress_bar(values, 'fits of the linear classifier', len(values)):
        fitted = fit_linear(features[train], labels[train], value, classes, device=device)
        found[value] = fitted.accuracy(features[chosen], labels[chosen])['top1']
    return max(found, key=lambda value: found[value]), found
