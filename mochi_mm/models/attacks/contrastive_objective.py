"""The contrastive loss as what an attack makes large: no labels are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from mochi_mm.models.functional.perturbation import Objective
from mochi_mm.models.heads import BaseContrastiveHead
from mochi_mm.structures import DataSamples, Views
from mochi_mm.structures.cells import Cells
from mochi_mm.structures.features import Features

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm
    from mochi_mm.models.data_preprocessors import ViewDataPreprocessor


def contrastive_objective(
    model: BaseAlgorithm,
    views: Sequence[Tensor],
    attacked: Sequence[int],
    samples: DataSamples,
    encoders: tuple[str, str] = ('online', 'online'),
) -> Objective:
    """Return the loss of ``model.head`` as a function of the pixels of some views of a batch.

    The head computes and writes nothing. Views that are not attacked, and all that the averaged
    encoder sees, are embedded once, as they are.

    Args:
        model: Algorithm with a contrastive head, in evaluation mode; the caller sees to that.
        views: V views (B, 3, H, W), normalized.
        attacked: Numbers of the views that change, which the trained encoder sees; of one size.
        samples: Tensors (B,) by name.
        encoders: Encoders that the other views of the trained network and the attacked ones pass.

    Returns:
        A function of (n B, 3, H, W) pixels in [0, 1], the n attacked views one after the other.

    Raises:
        ValueError: No contrastive head on views or pairs, or views that cannot be attacked.
    """
    head = attacked_head(model)
    online, target = model.view_numbers(len(views))
    check_attacked(attacked, online, [tuple(view.shape) for view in views])
    with torch.no_grad():
        clean = {v: model.embed(views[v], encoders[0]) for v in online if v not in attacked}
        keys = {v: model.embed(views[v], 'target') for v in target}

    def objective(pixels: Tensor) -> Tensor:
        images = preprocessor_of(model).normalize(255 * pixels)  # (n B, 3, H, W)
        features = model.embed(model.in_layout([images])[0], encoders[1])
        changed = dict(zip(attacked, _parts(features, len(attacked)), strict=True))
        seen = {v: changed[v] if v in changed else clean[v] for v in online}
        sides = (seen, keys)
        rows, known = ({v: part.at(head.tap) for v, part in side.items()} for side in sides)
        beside = [{v: part.before(head.tap) for v, part in side.items()} for side in sides]
        more = beside if head.uses_features else []
        losses = head.compute(Views(rows, known, samples, *more)).losses
        return torch.stack(list(losses.values())).sum()

    return objective


def preprocessor_of(model: BaseAlgorithm) -> ViewDataPreprocessor:
    """Return what normalizes the images of a model."""
    return cast('ViewDataPreprocessor', model.data_preprocessor)


def attacked_head(model: BaseAlgorithm) -> BaseContrastiveHead:
    """Return the contrastive head of a model.

    Raises:
        ValueError: It has none on views or pairs.
    """
    head = model.head
    if not isinstance(head, BaseContrastiveHead) or head.takes not in ('views', 'pairs'):
        raise ValueError(
            f'the head of {type(model).__name__} is '
            f'{None if head is None else type(head).__name__}, which has no contrastive loss on '
            'views; expected a head such as NTXentHead or ContrastiveHead: give the config of '
            'the pre-training run.'
        )
    return head


def check_attacked(
    attacked: Sequence[int], online: Sequence[int], shapes: Mapping[int, tuple] | Sequence[tuple]
) -> None:
    """Refuse views that cannot be attacked together.

    Args:
        attacked: Numbers of the views that change.
        online: Those that the trained encoder sees.
        shapes: Shape of each view.

    Raises:
        ValueError: Views that the encoder does not see, one twice, none, or of several sizes.
    """
    strangers = sorted(set(attacked) - set(online))
    if strangers or not attacked or len(set(attacked)) < len(attacked):
        raise ValueError(
            f'the views {list(attacked)} are to be attacked; expected different ones of '
            f'{list(online)}, which the trained encoder sees.'
        )
    sizes = sorted({shapes[view][-2:] for view in attacked})
    if len(sizes) > 1:
        raise ValueError(
            f'the views {list(attacked)} have the sizes {sizes}; expected one size: attack the '
            'large crops alone.'
        )


def _parts(features: Features, number: int) -> list[Features]:
    """Return the features of each of ``number`` views that were embedded one after the other."""
    columns = (features.backbone, features.neck, features.predictor)
    parts = [Features(*rows) for rows in zip(*(c.chunk(number) for c in columns), strict=True)]
    if features.cells is None:
        return parts
    cells = (features.cells.backbone.chunk(number), features.cells.neck.chunk(number))
    return [replace(part, cells=Cells(*c)) for part, *c in zip(parts, *cells, strict=True)]
