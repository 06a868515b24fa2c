"""A t-SNE map of a query, its hard negatives and its synthetic ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from mochi_mm.evaluation.analysis.negative_map import NegativeMap

# Colors that stay apart for color-blind eyes (Okabe and Ito), and a marker each.
_STYLES: dict[str, tuple[str, str, int]] = {
    'hard': ('#8c8c8c', 'o', 18),
    'PairMixing': ('#0072b2', '^', 22),
    'QueryMixing': ('#e69f00', 's', 18),
    'key': ('#009e73', 'D', 70),
    'query': ('#000000', '*', 190),
}
_FURTHER = [
    ('#cc79a7', 'v'),
    ('#56b4e9', 'P'),
    ('#d55e00', 'X'),
    ('#7a6b00', '<'),
    ('#5b2c83', '>'),
]
_NAMES = {
    'query': 'query',
    'key': 'its key',
    'hard': 'hard negative',
    'PairMixing': 'pair of hard negatives mixed',
    'QueryMixing': 'query mixed into a hard negative',
}


def tsne(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return (M, 2) positions of (M, D) points by t-SNE (van der Maaten and Hinton 2008).

    Args:
        points: At least 4 rows.
        seed: Random seed of scikit-learn's optimization.

    Raises:
        ImportError: scikit-learn is not installed; says how to get it.
        ValueError: Fewer than 4 points.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            'a t-SNE map needs scikit-learn: pip install scikit-learn (it is in '
            'requirements/runtime.txt).'
        ) from error
    if len(points) < 4:
        raise ValueError(f'{len(points)} points; a t-SNE map needs at least 4.')
    perplexity = min(30.0, (len(points) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init='pca', random_state=seed).fit_transform(
        points.astype(np.float32)
    )


def draw_negative_map(axis: Any, data: NegativeMap, seed: int = 0, links: int = 24) -> None:
    """Draw one map: color and marker say what a point is, lines lead to its parents.

    Args:
        axis: A matplotlib axis.
        data: The points.
        seed: Random seed of t-SNE.
        links: Synthetic points of each kind whose parents are linked, evenly spaced.
    """
    place = tsne(data.points, seed)
    styles = dict(_STYLES)
    for kind in dict.fromkeys(data.kinds.tolist()):
        if kind not in styles:
            color, marker = _FURTHER[(len(styles) - len(_STYLES)) % len(_FURTHER)]
            styles[kind] = (color, marker, 22)
    for kind, (color, marker, size) in styles.items():
        rows = np.flatnonzero(data.kinds == kind)
        if not len(rows):
            continue
        linked = rows[np.linspace(0, len(rows) - 1, min(links, len(rows))).astype(int)]
        for row in linked:
            for parent in data.parents[row]:
                if parent >= 0:
                    axis.plot(*place[[row, parent]].T, color=color, lw=0.5, alpha=0.45, zorder=1)
        axis.scatter(
            *place[rows].T,
            c=color,
            marker=marker,
            s=size,
            linewidths=0.4,
            edgecolors='white',
            label=_NAMES.get(kind, kind),
            zorder=4 if kind in ('query', 'key') else 2,
        )
    if data.same_class.any():
        axis.scatter(
            *place[data.same_class].T,
            facecolors='none',
            edgecolors='#c00000',
            s=52,
            linewidths=1.1,
            label="hard negative of the query's class",
            zorder=3,
        )
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_xlabel('t-SNE 1 (no unit)', fontsize=9)
    axis.set_ylabel('t-SNE 2 (no unit)', fontsize=9)
