"""Average drop and rate of increase of explained images, and the calibration beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from mochi_mm.evaluation.measures.calibration import calibration_error
from mochi_mm.evaluation.robustness.measure_robustness import unpacked
from mochi_mm.evaluation.robustness.pixel_classifier import PixelClassifier
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.explanations import class_activation, find_layer
from mochi_mm.models.functional.grad_cam import heat_map, hottest
from mochi_mm.utils.checks import check_share
from mochi_mm.utils.progress import progress_bar


def measure_explanations(
    classifier: PixelClassifier,
    batches: Iterable[Mapping[str, Any]],
    layer: str,
    share: float = 0.15,
    device: torch.device | str = 'cpu',
    bins: int = 15,
) -> dict[str, float]:
    """Return figures in percent, from the network in evaluation mode.

    Grad-CAM explains the predicted class; the ``share`` hottest pixels are kept, the rest becomes
    the mean color that the network subtracts. With y the probability of the class on the whole
    image and o on what is left: ``average_drop``, the mean of max(0, y - o) / y, the smaller the
    better; ``rate_of_increase``, how often o > y; ``explained``, how often the class is predicted
    again, all three over the images whose map varies, of which ``varying`` is the share;
    ``calibration_error`` and ``clean`` of the whole images. Source of the first two:
    Chattopadhay et al., Grad-CAM++, WACV 2018 (recalled); the share is that of ExCon's code.

    Args:
        classifier: Function of pixels.
        batches: Of one view each, uint8, with labels and ``sample_idx``.
        layer: Name of a layer of the backbone.
        share: Share of the pixels that is kept, in (0, 1].
        device: Where the network is.
        bins: Of the calibration error.

    Raises:
        ValueError: No such layer, a share out of range, no batch, a sample without a label.
    """
    check_share('share', share, 0.15)
    explained = find_layer(cast(nn.Module, classifier.model.backbone), layer)
    rows = []
    with evaluating(classifier), torch.no_grad():
        for batch in progress_bar(batches, 'explanations', 0, True):
            images, labels, _ = unpacked(batch)
            pixels = images.to(device) / 255
            rows.append(_figures(classifier, explained, pixels, labels.to(device), share).cpu())
    if not rows:
        raise ValueError('the loader gave no batch; its data set is empty.')
    before, after, again, right, varies = torch.cat(rows).unbind(1)  # (N,) each
    told = varies > 0
    if not told.any():
        raise ValueError(
            f'the map of {layer} is constant in each of {len(told)} images, so it explains '
            'nothing; set the layer to one whose maps have several cells.'
        )
    begun, left, again = before[told], after[told], again[told]
    drop = (begun - left).clamp_min(0) / begun
    return dict(
        clean=100 * float(right.mean()),
        calibration_error=100 * calibration_error(before, right.bool(), bins),
        average_drop=100 * float(drop.mean()),
        rate_of_increase=100 * float((left > begun).double().mean()),
        explained=100 * float(again.mean()),
        varying=100 * float(varies.mean()),
    )


def _figures(
    classifier: PixelClassifier, layer: nn.Module, pixels: Tensor, labels: Tensor, share: float
) -> Tensor:
    """Return (B, 5) float64: probability before and after, predicted again, right, explained."""
    heat, logits = class_activation(classifier, layer, pixels)
    warm, varies = heat_map(heat, (pixels.shape[2], pixels.shape[3]))
    kept = hottest(warm, share)[:, None]  # (B, 1, H, W)
    left = torch.where(kept, pixels, classifier.preprocessor.mean / 255)
    predicted = logits.argmax(1)
    masked = classifier(left)
    columns = [
        scores.double().softmax(1).gather(1, predicted[:, None])[:, 0]
        for scores in (logits, masked)
    ]
    columns += [(masked.argmax(1) == predicted).double(), (predicted == labels).double()]
    columns += [varies.double()]
    return torch.stack(columns, dim=1)
