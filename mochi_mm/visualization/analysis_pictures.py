"""The pictures of one analyzed network: nearest neighbors, and maps of hard negatives."""

from __future__ import annotations

import io
from typing import Any

from torch import Tensor, nn
from torch.utils.data import DataLoader

from mochi_mm.evaluation.analysis.analyze import Analysis
from mochi_mm.evaluation.analysis.negative_map import negative_maps
from mochi_mm.evaluation.analysis.possible import no_memory
from mochi_mm.evaluation.features import extract_features
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.utils.unwrap import unwrap
from mochi_mm.visualization.gallery import draw_gallery, gallery_legend
from mochi_mm.visualization.negative_map import draw_negative_map


def neighbors_picture(dataset: Any, features: Tensor, labels: Tensor) -> bytes:
    """Return a PNG: samples of a data set and their nearest others; see :func:`draw_gallery`.

    Args:
        dataset: A data set with ``image(index)``.
        features: (M, C) pooled backbone features.
        labels: (M,).

    Raises:
        ValueError: Fewer than two samples.
    """
    neighbors = min(9, len(features) - 1)
    if neighbors < 1:
        raise ValueError(f'{len(features)} sample(s) in the data set; neighbors need two.')
    figure, axis = _figure(1, (8.2, 7.2))
    draw_gallery(axis[0], dataset, features, labels, neighbors=neighbors)
    axis[0].set_title('nearest neighbors by cosine of backbone features, nearest first', size=10)
    return _png(figure, gallery_legend(), 3)


def negatives_picture(model: nn.Module, views: DataLoader, seed: int = 0) -> bytes:
    """Return a PNG: t-SNE maps of two queries with their hard and synthetic negatives.

    Args:
        model: An algorithm with a memory head.
        views: Batches of training views.
        seed: Random seed of the mixers' draws and of t-SNE.
    """
    bare = unwrap(model)
    with preserved_random_state():
        maps = negative_maps(bare, views, seed)
    figure, axes = _figure(len(maps), (5.4 * len(maps), 5.6))
    handles: dict[str, Any] = {}
    for number, (axis, data) in enumerate(zip(axes, maps, strict=True)):
        draw_negative_map(axis, data, seed)
        linked = '; lines join some mixtures and their parents' if (data.parents >= 0).any() else ''
        axis.set_title(f'query {number + 1}{linked}', size=9)
        found = zip(*axis.get_legend_handles_labels(), strict=True)
        handles.update({label: handle for handle, label in found})
    return _png(figure, list(handles.values()), 3)


def draw_pictures(
    model: nn.Module, loader: DataLoader, views: DataLoader, found: Analysis, seed: int = 0
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the pictures that this network allows, PNG by name, and why another is not there.

    Args:
        model: The network that was analyzed.
        loader: Samples whose nearest neighbors are shown.
        views: Batches of training views.
        found: Analysis of the network.
        seed: Random seed of mixing and t-SNE.
    """
    features, labels = found.features, found.labels
    if features is None or labels is None:
        features, labels = extract_features(model, loader)
    pictures = {'neighbors': neighbors_picture(loader.dataset, features, labels)}
    bare = unwrap(model)
    why = found.missing.get('probabilities') or no_memory(bare)
    if why:
        return pictures, dict(negatives=why)
    pictures['negatives'] = negatives_picture(model, views, seed)
    return pictures, {}


def _figure(columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """Return a figure that no window system and no global state of matplotlib knows about."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _png(figure: Any, handles: Any, columns: int) -> bytes:
    figure.legend(
        handles=handles, loc='outside lower center', ncols=columns, frameon=False, fontsize=9
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=110)
    return buffer.getvalue()
