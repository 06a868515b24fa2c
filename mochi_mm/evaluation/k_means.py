"""k-means on unit embeddings, by a library."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.utils.checks import check_choice

BACKENDS = ('sklearn', 'faiss')


def check_backend(backend: str) -> str:
    """Return the name of a library that is installed.

    Raises:
        ValueError: Another name.
        ImportError: It is not installed; says how to get it.
    """
    check_choice('backend', backend, BACKENDS)
    if backend == 'faiss':
        try:
            import faiss  # noqa: F401
        except ImportError:
            raise ImportError(
                "backend='faiss' needs faiss, which is not installed: pip install -e '.[faiss]' "
                "(or pip install faiss-cpu), or take backend='sklearn'."
            ) from None
    return backend


def k_means(
    rows: Tensor, k: int, seed: int, backend: str = 'sklearn', batch_size: int = 4096
) -> Tensor:
    """Return k centroids of unit rows, scaled to unit length themselves.

    The same for the same seed, library and processor. Where there are fewer different rows than
    clusters, some centroids are nearest to none.

    Args:
        rows: (n, D) float32 unit rows on the CPU.
        k: Number of clusters, at most n.
        seed: Of the random draws.
        backend: ``sklearn`` (MiniBatchKMeans) or ``faiss`` (on all rows, 20 iterations).
        batch_size: Rows of a step of MiniBatchKMeans.

    Returns:
        (k, D) float32.

    >>> rows = torch.eye(3).repeat(5, 1)
    >>> sorted(k_means(rows, 3, seed=0).argmax(1).tolist())
    [0, 1, 2]
    """
    check_backend(backend)
    values = rows.detach().numpy().astype(np.float32, copy=False)
    centers = (_by_faiss if backend == 'faiss' else _by_sklearn)(values, k, seed, batch_size)
    return unit_rows(torch.from_numpy(np.ascontiguousarray(centers)).float())


def _by_sklearn(values: np.ndarray, k: int, seed: int, batch_size: int) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    model = MiniBatchKMeans(
        n_clusters=k, batch_size=batch_size, n_init=1, random_state=seed % 2**32
    )
    with warnings.catch_warnings():
        # Of fewer different rows than clusters; the caller counts the empty ones.
        warnings.simplefilter('ignore', ConvergenceWarning)
        model.fit(values)
    return np.asarray(model.cluster_centers_)


def _by_faiss(values: np.ndarray, k: int, seed: int, batch_size: int) -> np.ndarray:
    import faiss

    model = faiss.Kmeans(
        values.shape[1],
        k,
        niter=20,
        spherical=True,
        seed=seed % 2**31,
        min_points_per_centroid=1,  # no word on small clusters; the caller counts them
        max_points_per_centroid=len(values),  # by default it drops all but 256 rows a cluster
    )
    model.train(values)
    return np.asarray(model.centroids)
