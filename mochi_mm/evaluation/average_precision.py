"""Average precision of a ranking, as PASCAL VOC measures it."""

from __future__ import annotations

import numpy as np

METHODS = ('11points', 'area')


def average_precision(scores: np.ndarray, positive: np.ndarray, method: str = '11points') -> float:
    """Return the average precision, 0 to 1, of samples ranked by ``scores``.

    With p(r) the largest precision at a recall of r or more: ``11points`` is the mean of p over the
    recalls 0, 0.1, ..., 1 (VOC 2007), ``area`` the area under p (VOC from 2010 on). Samples of one
    score keep their order.

    Args:
        scores: (n,) any numbers, larger for more likely.
        positive: (n,) bool, which samples are of the class.
        method: One of the two.

    Raises:
        ValueError: An unknown method, no positive sample, or scores that are not finite.
    """
    if method not in METHODS:
        raise ValueError(f'the method is {method!r}; expected one of {", ".join(METHODS)}.')
    scores, positive = np.asarray(scores, np.float64), np.asarray(positive, bool)
    if not positive.any() or not np.isfinite(scores).all():
        raise ValueError(
            f'average precision of {len(scores)} samples, {int(positive.sum())} of them positive, '
            f'{int((~np.isfinite(scores)).sum())} scores not finite; expected a positive sample '
            'and finite scores.'
        )
    hits = np.cumsum(positive[np.argsort(-scores, kind='stable')])
    recall = hits / hits[-1]
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]  # largest precision from here on
    if method == 'area':
        return float(np.sum(np.diff(recall, prepend=0.0) * best))
    # Recalls are compared as whole numbers: 0.3 has no exact double.
    first = [np.argmax(hits * 10 >= tenth * hits[-1]) for tenth in range(11)]
    return float(np.mean(best[first]))
