"""CMC: one image, several encoders that each see a part of its channels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm, Losses
from mochi_mm.models.heads.cross_view_head import CrossViewHead
from mochi_mm.models.necks.split_neck import SplitNeck
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.features import Features


@MODELS.register_module()
class CrossViewContrast(BaseAlgorithm):
    """Contrast the parts of one image, from a split backbone and a split neck.

    Features for evaluation are those of all encoders, side by side. Source: Tian et al.,
    Contrastive Multiview Coding, ECCV 2020. Arguments as in :class:`BaseAlgorithm`: a
    :class:`SplitBackbone`, a :class:`SplitNeck`, a :class:`CrossViewHead` and a preprocessor that
    gives the channels.

    Raises:
        ValueError: Widths or numbers of parts that do not meet, another neck or head.
    """

    num_views = 1
    gives = 'parts'

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the head's losses and statistics for one view (B, 3, H, W) of each image."""
        features = self.embed(inputs[0])
        parts = features.neck.unbind(1)  # V of (B, D), one for each encoder
        online = {i: Features(features.backbone, part, part) for i, part in enumerate(parts)}
        return self.objectives(online, {}, data_samples or {})

    def _check_widths(self) -> None:
        if not isinstance(self.neck, SplitNeck):
            raise ValueError(
                f'the neck is {type(self.neck).__name__}; expected SplitNeck(necks=[...]) with a '
                'neck for each encoder.'
            )
        parts = getattr(self.backbone, 'backbones', [self.backbone])
        widths = [int(part.out_channels) for part in parts]
        taken = self.neck.widths
        if widths != taken:
            raise ValueError(
                f'the backbones give {widths} channels but the necks take {taken}; expected one '
                'neck for each backbone: set in_channels of each entry of necks accordingly.'
            )
        if not isinstance(self.head, CrossViewHead):
            raise ValueError(
                f'the head is {type(self.head).__name__}; expected CrossViewHead(memories=[...]) '
                'with a bank for each encoder.'
            )
        given = (len(self.neck.necks), self.neck.out_channels)
        wanted = (len(self.head.memories), self.head.dim)
        if given != wanted:
            raise ValueError(
                f'the neck gives {given[0]} embeddings of width {given[1]} but the head has '
                f'{wanted[0]} memories of width {wanted[1]}; expected one memory for each neck, '
                'of its width.'
            )
