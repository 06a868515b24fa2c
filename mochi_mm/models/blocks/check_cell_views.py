"""Check of the cells that a head is given."""

from __future__ import annotations

from mochi_mm.structures import Views


def check_cell_views(views: Views, dim: int) -> None:
    """Accept cells (B, P, dim) of queries and keys with backbone features (B, P, C) of each.

    Args:
        views: Raw embeddings.
        dim: Width of the memory.

    Raises:
        ValueError: No pair of different views, other shapes, or no features.
    """
    if not views.pairs:
        raise ValueError(
            f'queries of the views {sorted(views.online)} and keys of the views '
            f'{sorted(views.target)}; expected at least one query and one key of different views '
            'of an image.'
        )
    first = next(iter(views.online.values()))
    expected = tuple(first.shape[:2])
    for name, rows, features in (
        ('query', views.online, views.features),
        ('key', views.target, views.target_features),
    ):
        for view, cells in rows.items():
            if cells.ndim != 3 or tuple(cells.shape) != (*expected, dim):
                raise ValueError(
                    f'{name} cells of view {view} have the shape {tuple(cells.shape)}; expected '
                    f'(images, cells, {dim}), the width of the memory, with as many images and '
                    'cells in every view: crops of one size, and a neck such as DenseCLNeck.'
                )
            given = features.get(view)
            if given is None or given.ndim != 3 or tuple(given.shape[:2]) != expected:
                shape = None if given is None else tuple(given.shape)
                raise ValueError(
                    f'backbone features of the {name} cells of view {view} are {shape}; expected '
                    f'{expected} and their width: the cells of two views are matched by them.'
                )
