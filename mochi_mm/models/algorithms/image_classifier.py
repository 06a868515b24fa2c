"""A backbone with a classifier: the linear probe and fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm, Losses
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.protocols import ClassifierHead


@MODELS.register_module()
class ImageClassifier(BaseAlgorithm):
    """Classify one view of each image by its pooled backbone features.

    Args:
        backbone: Backbone, as a config or a module.
        head: A classification head such as :class:`LinearHead`; None where only features are
            measured.
        freeze_backbone: Train the head alone. The backbone stays in evaluation mode, batch norms
            included, its parameters get no gradient, and no graph is built for it. Without a head
            nothing is trained, so there is nothing to freeze against.
        data_preprocessor: See :class:`BaseAlgorithm`.
        channels_last: See :class:`BaseAlgorithm`.
        init_cfg: See MMEngine.
    """

    num_views = 1
    gives = 'features'

    def __init__(
        self,
        backbone: dict | nn.Module,
        head: dict | nn.Module | None = None,
        freeze_backbone: bool = False,
        data_preprocessor: dict | nn.Module | None = None,
        channels_last: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            backbone,
            head=head,
            data_preprocessor=data_preprocessor,
            channels_last=channels_last,
            init_cfg=init_cfg,
        )
        # A data-parallel wrapper refuses a model with no trainable parameter at all.
        self.freeze_backbone = freeze_backbone and self.head is not None
        if self.freeze_backbone:
            self.backbone.requires_grad_(False)
            self.backbone.eval()

    def train(self, mode: bool = True) -> ImageClassifier:
        """Set the mode of everything but a frozen backbone, which stays in evaluation mode."""
        super().train(mode)
        if self.freeze_backbone:
            self.backbone.eval()
        return self

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the head's losses and statistics for one view (B, 3, H, W).

        Raises:
            ValueError: No head.
        """
        head = self._check_head()
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze_backbone):
            features = self.extract_feat(inputs)
        return head.loss(features, data_samples)

    def predict(
        self, inputs: Sequence[Tensor], data_samples: DataSamples | None
    ) -> list[dict[str, Any]]:
        """Return one record for the batch, see :class:`BaseAlgorithm`.

        Raises:
            ValueError: No head.
        """
        self._check_head()
        return list(super().predict(inputs, data_samples))

    def _check_head(self) -> ClassifierHead:
        if self.head is None:
            raise ValueError(
                'this ImageClassifier has no head (head=None), so it cannot train or predict; set '
                "model.head to dict(type='LinearHead', ...), or measure its features by kNN."
            )
        return cast(ClassifierHead, self.head)
