"""Checks of the views that a head is given."""

from __future__ import annotations

from mochi_mm.structures import Views


def check_image_views(views: Views, head: str, min_views: int) -> None:
    """Accept at least ``min_views`` views of one shape, and none of an averaged encoder.

    Args:
        views: Raw embeddings.
        head: Name of the head, for the error.
        min_views: Views that the head compares at least.

    Raises:
        ValueError: Other views.
    """
    shapes = {tuple(embedding.shape) for embedding in views.online.values()}
    if len(views.online) < min_views or len(shapes) > 1 or views.target:
        raise ValueError(
            f'{len(views.online)} views of shapes {sorted(shapes)} and {len(views.target)} of an '
            f'averaged encoder; {head} takes (images, views, width) with at least {min_views} '
            'views: set num_views of MultiView in the pipeline and of the algorithm.'
        )


def check_pair_views(views: Views, dim: int | None) -> None:
    """Accept queries and keys (B, dim) with at least one pair of different views.

    Args:
        views: Raw embeddings.
        dim: Width of the memory; None without one, where all widths must be equal.

    Raises:
        ValueError: Other views.
    """
    if not views.pairs:
        raise ValueError(
            f'queries of the views {sorted(views.online)} and keys of the views '
            f'{sorted(views.target)}; expected at least one query and one key of different views '
            'of an image.'
        )
    rows = views.num_images
    width = next(iter(views.online.values())).shape[-1] if dim is None else dim
    for name, part in (('query', views.online), ('key', views.target)):
        for embedding in part.values():
            if tuple(embedding.shape) != (rows, width):
                what = 'queries' if dim is None else 'a memory'
                raise ValueError(
                    f'{name} {tuple(embedding.shape)} does not fit {rows} images and {what} of '
                    f'width {width}; expected (batch, {width}): set the dim of the memory to the '
                    'width of the neck.'
                )
