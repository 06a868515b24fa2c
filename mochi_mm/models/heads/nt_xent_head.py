"""SimCLR's objective."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.models.heads.in_batch_head import DataSamples, InBatchHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Pairs


@MODELS.register_module()
class NTXentHead(InBatchHead):
    """The normalised, temperature-scaled cross-entropy NT-Xent (Chen et al. 2020, SimCLR, eq. 1).

    ``-log( e^(z_i.z_j/t) / sum_{k != i} e^(z_i.z_k/t) )`` with j the other view, k over all views
    of all images; the mean over all anchors. With more than two views, the mean over the others.
    """

    def positives(self, pairs: Pairs, data_samples: DataSamples) -> Tensor:
        """Return 1 for the other views of the anchor's image."""
        return pairs.same_image.float()
