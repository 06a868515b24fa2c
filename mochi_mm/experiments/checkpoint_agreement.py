"""How far measures without labels agree with kNN on which checkpoint of a run is the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mochi_mm.experiments.figures import half_interval, mean_and_spread
from mochi_mm.runs.measured_figures import RULES
from mochi_mm.runs.run import Run

#: Figures with labels that others are compared with; of a run the first that it has logged.
REFERENCES = ('knn/top1', 'guard/knn')
#: Figures without labels.
LABEL_FREE = tuple(name for name in RULES if 'knn' not in name and '/class/' not in name)
#: Choice that looks at nothing: the later checkpoint is the better one.
LAST = 'the last checkpoint'
_LEAST = 3


@dataclass(frozen=True)
class Agreement:
    """One measure on one run.

    Attributes:
        run: Name of the run.
        measure: Name of the figure, or :data:`LAST`.
        checkpoints: Number of checkpoints that both were measured of.
        correlation: Spearman's rank correlation with the reference, higher where both call the same
            checkpoints good; NaN where one of the two does not vary.
        loss: Reference at its best checkpoint less that at the best by the measure, in points.
    """

    run: str
    measure: str
    checkpoints: int
    correlation: float
    loss: float


def agreements(run: Run, measures: Sequence[str] = LABEL_FREE) -> list[Agreement]:
    """Return how far each measure that a run has logged agrees with its reference.

    The start of a run is no checkpoint of it. Of equal values the earlier checkpoint is the choice.

    Args:
        run: A run that was measured at three checkpoints at least.
        measures: Names of figures.

    Raises:
        ValueError: The run has logged no reference, or none of the measures beside it.
    """
    reference = next((name for name in REFERENCES if run.log.curve(name, True)[0]), None)
    if reference is None:
        raise ValueError(
            f'{run.work_dir} has logged neither {" nor ".join(REFERENCES)}; expected a run with a '
            'KNNHook, or a RepresentationGuardHook with labels, that measures while it trains.'
        )
    truth = _by_epoch(run, reference)
    found = [_compare(run.name, LAST, {epoch: epoch for epoch in truth}, truth)]
    for name in measures:
        values = _by_epoch(run, name)
        sign = -1 if RULES[name] == 'less' else 1
        found.append(_compare(run.name, name, {e: sign * v for e, v in values.items()}, truth))
    kept = [one for one in found if one is not None]
    if not [one for one in kept if one.measure != LAST]:
        raise ValueError(
            f'{run.work_dir} has no measure without labels at {_LEAST} checkpoints where '
            f'{reference} was measured; expected an AnalysisHook or a RepresentationGuardHook with '
            'the same interval.'
        )
    return kept


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the rank correlation of two rows, equal values sharing their mean rank; NaN if none.

    >>> spearman([1.0, 2.0, 3.0], [10.0, 20.0, 15.0])
    0.5
    """
    a, b = (_ranks(row) - (len(row) + 1) / 2 for row in (first, second))
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0 else math.nan


def summary(found: Sequence[Agreement]) -> list[dict[str, Any]]:
    """Return, for each measure, mean and interval over runs, the best loss first."""
    rows = []
    for measure in dict.fromkeys(one.measure for one in found):
        mine = [one for one in found if one.measure == measure]
        known = [one.correlation for one in mine if not math.isnan(one.correlation)]
        mean, spread = mean_and_spread(known) if known else (math.nan, math.nan)
        half = half_interval(spread, len(known)) if len(known) > 1 else math.nan
        losses = [one.loss for one in mine]
        rows.append(
            dict(
                measure=measure,
                runs=len(mine),
                correlation=mean,
                half=half,
                loss=sum(losses) / len(losses),
                worst=max(losses),
            )
        )
    return sorted(rows, key=lambda row: (row['loss'], row['worst']))


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the summary as lines of Markdown."""
    lines = [
        '| measure | runs | rank correlation with kNN (95 %) | mean loss (points) | worst |',
        '|---|---|---|---|---|',
    ]
    for row in rows:
        known = '-' if math.isnan(row['correlation']) else f'{row["correlation"]:.2f}'
        low, high = (row['correlation'] + side * row['half'] for side in (-1, 1))
        # A correlation lies between -1 and 1, Student's interval of few runs need not.
        half = '' if math.isnan(low) else f' ({max(low, -1):.2f} to {min(high, 1):.2f})'
        lines.append(
            f'| {row["measure"]} | {row["runs"]} | {known}{half} | {row["loss"]:.2f} | '
            f'{row["worst"]:.2f} |'
        )
    return lines


def sentences(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the summary says of each measure, in words."""
    last = next(row for row in rows if row['measure'] == LAST)
    found = []
    for row in rows:
        if row['measure'] == LAST:
            continue
        low, high = row['correlation'] - row['half'], row['correlation'] + row['half']
        if math.isnan(low):
            verdict = (
                'too few runs to tell whether its order of checkpoints agrees with that of kNN'
            )
        elif low > 0:
            verdict = 'its order of checkpoints agrees with that of kNN more than by chance'
        elif high < 0:
            verdict = 'its order of checkpoints is against that of kNN'
        else:
            verdict = 'that its order of checkpoints agrees with that of kNN is not shown'
        gain = last['loss'] - row['loss']
        beside = 'as much as' if abs(gain) < 0.005 else ('less than' if gain > 0 else 'more than')
        found.append(
            f'{row["measure"]}: {verdict}; choosing by it costs {row["loss"]:.2f} points of kNN on '
            f'average over {row["runs"]} runs, {beside} taking the last checkpoint '
            f'({last["loss"]:.2f}).'
        )
    return found


def _by_epoch(run: Run, name: str) -> dict[float, float]:
    epochs, values = run.log.curve(name, True)
    return {
        round(epoch, 6): value
        for epoch, value in zip(epochs, values, strict=True)
        if epoch > 0 and math.isfinite(value)
    }


def _compare(
    run: str, name: str, values: Mapping[float, float], truth: Mapping[float, float]
) -> Agreement | None:
    epochs = [epoch for epoch in truth if epoch in values]
    if len(epochs) < _LEAST:
        return None
    mine, wanted = [values[e] for e in epochs], [truth[e] for e in epochs]
    chosen = max(range(len(epochs)), key=lambda i: (mine[i], -i))
    loss = max(wanted) - wanted[chosen]
    return Agreement(run, name, len(epochs), spearman(mine, wanted), loss)


def _ranks(row: Sequence[float]) -> np.ndarray:
    values = np.asarray(row, dtype=np.float64)
    less = (values[:, None] > values[None, :]).sum(axis=1)
    equal = (values[:, None] == values[None, :]).sum(axis=1)
    return less + (equal + 1) / 2
