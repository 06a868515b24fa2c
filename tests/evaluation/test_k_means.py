"""k-means by a library: clusters that are there, the seed, more clusters than different rows."""

from __future__ import annotations

import sys
from unittest import mock

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.evaluation.k_means import k_means
from mochi_mm.models.functional.clusters import nearest_centroids


def groups() -> torch.Tensor:
    """Four tight groups of ten rows."""
    noise = 0.05 * torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    return F.normalize(torch.eye(8)[:4].repeat_interleave(10, 0) + noise, dim=1)


@pytest.mark.parametrize('backend', ['sklearn', 'faiss'])
def test_finds_the_clusters_and_repeats_itself(backend: str) -> None:
    if backend == 'faiss':
        pytest.importorskip('faiss', reason="needs the extra 'faiss'")
    rows = groups()
    centroids = k_means(rows, 4, 3, backend)
    torch.testing.assert_close(centroids.norm(dim=1), torch.ones(4))
    labels, _ = nearest_centroids(rows, centroids)
    assert all(len(set(part.tolist())) == 1 for part in labels.split(10))
    assert len(set(labels.tolist())) == 4
    for c in range(4):  # a centroid is the direction of the mean of its members
        mean = F.normalize(rows[labels == c].mean(0), dim=0)
        assert float(centroids[c] @ mean) > 0.999
    torch.manual_seed(1)
    assert torch.equal(k_means(rows, 4, 3, backend), centroids)
    assert not torch.equal(k_means(rows, 4, 4, backend), centroids)


def test_faiss_takes_every_row() -> None:
    """Its default is 256 rows a cluster, drawn at random."""
    pytest.importorskip('faiss', reason="needs the extra 'faiss'")
    rows = F.normalize(torch.randn(700, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    mean = F.normalize(rows.mean(0), dim=0)
    torch.testing.assert_close(k_means(rows, 1, 0, 'faiss')[0], mean, atol=1e-5, rtol=0)


def test_global_generators_stay_where_they_are() -> None:
    state = torch.get_rng_state()
    k_means(groups(), 3, seed=0)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.filterwarnings('error')
def test_fewer_different_rows_than_clusters_leave_some_empty() -> None:
    rows = torch.eye(4)[:2].repeat(6, 1)
    labels, confidence = nearest_centroids(rows, k_means(rows, 5, seed=0))
    assert len(set(labels.tolist())) == 2 and bool(confidence.isfinite().all())


def test_a_library_that_is_not_there_is_named() -> None:
    with (
        mock.patch.dict(sys.modules, faiss=None),
        pytest.raises(ImportError, match='pip install faiss-cpu'),
    ):
        k_means(groups(), 2, 0, 'faiss')
    with pytest.raises(ValueError, match="backend is 'other'"):
        k_means(groups(), 2, 0, 'other')
