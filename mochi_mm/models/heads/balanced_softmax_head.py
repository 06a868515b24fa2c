"""A classifier that knows how often it sees each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import mean_over_ranks
from mochi_mm.models.blocks.anchors import repeat_samples
from mochi_mm.models.functional.balanced_softmax import balanced_softmax
from mochi_mm.models.heads.class_counts import ClassCounts
from mochi_mm.models.heads.linear_head import LinearHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples, HeadStep, Views
from mochi_mm.structures.known import check_lengths
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class BalancedSoftmaxHead(LinearHead):
    """One linear layer with balanced softmax, alone or beside a contrastive objective.

    In training the logarithm of each class's share of the images is added to its logit; it
    predicts without, as on a set where all classes are equally frequent. Alone it is the head of
    :class:`ImageClassifier`; in ``heads`` of :class:`InBatchContrast` or :class:`MoCo` it sees
    every view of the trained encoder, and its loss is added: with :class:`SupConHead` it is the
    multi-task baseline of PaCo and GPaCo. Source: Ren et al., Balanced Meta-Softmax for Long-Tailed
    Visual Recognition, NeurIPS 2020.

    Args:
        num_classes: C, number of classes.
        in_channels: Width of the features.
        class_counts: ``data`` takes the images of each class from the training set; C numbers
            stand in their place; None is cross-entropy.
        weight: Factor on the loss, > 0.
        tap: Features that the head is given: ``backbone``, ``neck`` or ``predictor``.
        **kwargs: ``label_smoothing``, ``normalize_input``, ``label_key``, ``init_cfg`` of
            :class:`LinearHead`.

    Raises:
        ValueError: A setting out of range; at the start of a run, another number of classes than
            the training set has, or a class without an image.

    >>> head = BalancedSoftmaxHead(num_classes=2, in_channels=8, class_counts=[900, 100])
    >>> samples = dict(gt_label=torch.tensor([0, 1]))
    >>> with torch.no_grad():  # equal logits: the prior is the prediction
    ...     _ = head.fc.weight.zero_()
    >>> round(float(head.loss(torch.ones(2, 8), samples)['loss_classification'].detach()), 4)
    1.204
    """

    #: Any algorithm: features of one view, or of several.
    takes = 'any'

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        class_counts: str | Sequence[int] | None = 'data',
        weight: float = 1.0,
        tap: str = 'backbone',
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.weight = check_number('BalancedSoftmaxHead weight', weight, 1.0)
        self.tap = tap
        self.class_counts = ClassCounts(num_classes, class_counts, type(self).__name__)

    def objective(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of (B, C) logits for labels (B,), a scalar in nats."""
        losses = balanced_softmax(logits, labels, self.class_counts(), self.label_smoothing)
        return self.weight * mean_over_ranks(losses)

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
    ) -> dict[str, Tensor]:
        """Return loss and accuracy over every view of the trained encoder; no other is used.

        Args:
            online: (B, in_channels) features by the number of their view.
            target: Those of an averaged encoder, constants.
            data_samples: Labels (B,) under ``label_key``.
        """
        return self.compute(Views(online, target or {}, data_samples or {})).results()

    def compute(self, views: Views) -> HeadStep:
        """Return loss and accuracy over every online view; there is nothing to write."""
        samples = views.samples
        check_lengths(samples, views.num_images)
        self.check_samples(samples)
        labels = repeat_samples({self.label_key: samples[self.label_key]}, len(views.online))
        found = self.loss(torch.cat(list(views.online.values())), labels)
        return HeadStep({'loss_classification': found.pop('loss_classification')}, found)
