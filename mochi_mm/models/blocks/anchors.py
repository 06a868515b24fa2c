"""Anchors from the views of a batch: every view, or queries with their own keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from mochi_mm.structures import Anchors, Views


def image_anchors(views: Views) -> Anchors:
    """Return every online view as an anchor, image by image, the views of an image together.

    Args:
        views: Unit rows.
    """
    rows = torch.stack(list(views.online.values()), dim=1)  # (B, V, D)
    num_views = rows.shape[1]
    image = torch.arange(len(rows), device=rows.device).repeat_interleave(num_views)  # (B V,)
    samples = {k: v.repeat_interleave(num_views, 0) for k, v in views.samples.items()}
    return Anchors(rows.flatten(0, 1), image, len(rows), samples, num_views=num_views)


def pair_anchors(views: Views) -> Anchors:
    """Return a query for each pair of an online and another target view, pair by pair.

    Args:
        views: Unit rows.
    """
    rows = torch.cat([views.online[i] for i, _ in views.pairs])  # (A, D)
    keys = torch.cat([views.target[j] for _, j in views.pairs])[:, None]  # (A, 1, D)
    return replace(_of_views(rows, keys, views, len(views.pairs)), pairs=tuple(views.pairs))


def query_anchors(views: Views, positives: Sequence[int]) -> Anchors:
    """Return every online view once, with the keys of the other views among ``positives``.

    Args:
        views: Unit rows.
        positives: Target views whose keys are own keys; each online view is among them.
    """
    rows = torch.cat(list(views.online.values()))  # (A, D)
    keys = torch.cat(
        [
            torch.stack([views.target[j] for j in positives if j != i], dim=1)  # (B, P, D)
            for i in views.online
        ]
    )
    return _of_views(rows, keys, views, len(views.online))


def _of_views(rows: Tensor, keys: Tensor, views: Views, times: int) -> Anchors:
    """Return anchors that stand view by view: the batch ``times`` times."""
    image = torch.arange(views.num_images, device=rows.device).repeat(times)
    return Anchors(rows, image, views.num_images, repeat_samples(views.samples, times), keys)


def repeat_samples(samples: Mapping[str, Tensor], times: int) -> dict[str, Tensor]:
    """Return the samples of a batch that is repeated ``times`` times."""
    if times == 1:
        return dict(samples)
    return {k: v.repeat(times, *[1] * (v.ndim - 1)) for k, v in samples.items()}
