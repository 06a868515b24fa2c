"""A linear classifier that is trained beside another objective and does not touch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.models.heads.linear_head import LinearHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples, HeadStep, Views
from mochi_mm.structures.known import check_lengths
from mochi_mm.utils.checks import check_number


@MODELS.register_module()
class AuxiliaryClassifierHead(LinearHead):
    """Learn a linear classifier on the pooled features as they are, without gradient into them.

    For ``heads={...}`` of :class:`InBatchContrast`: the encoder learns nothing from it, but may be
    asked through it what it sees (:class:`ExplainedViews`), and can predict and be attacked.

    Args:
        num_classes: Number of classes.
        in_channels: Width of the pooled features.
        views: Numbers of the views that it learns from.
        weight: Factor on the loss, > 0; as a learning rate of its own.
        **kwargs: As in :class:`LinearHead`.

    Raises:
        ValueError: A setting out of range, no view; at a batch, a view that is not there.

    >>> head = AuxiliaryClassifierHead(num_classes=10, in_channels=8, views=(1,))
    >>> features = torch.ones(4, 8, requires_grad=True)
    >>> labels = dict(gt_label=torch.tensor([3, 1, 4, 1]))
    >>> losses = head.loss_views({0: features, 1: features}, None, labels)
    >>> losses['loss_auxiliary'].backward()
    >>> sorted(losses), features.grad
    (['acc_auxiliary', 'loss_auxiliary'], None)
    """

    takes = 'views'
    #: It goes by ``views``, so those that an editor makes do not disturb it.
    ignores_made = True

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        views: Sequence[int] = (0, 1),
        weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.views = tuple(views)
        if not self.views or any(not isinstance(v, int) or v < 0 for v in self.views):
            raise ValueError(
                f'views is {views!r}; expected the numbers of one or more views, such as (1,).'
            )
        self.weight = check_number('AuxiliaryClassifierHead weight', weight, 1.0)

    def compute(self, views: Views) -> HeadStep:
        """Return loss and accuracy; the head stays as it is.

        Raises:
            ValueError: A view that is not there, or labels that the classifier does not have.
        """
        absent = sorted(set(self.views) - set(views.online))
        if absent:
            raise ValueError(
                f'AuxiliaryClassifierHead learns from the views {list(self.views)} but the batch '
                f'has {sorted(views.online)}; set its views to some of them.'
            )
        check_lengths(views.samples, views.num_images)
        self.check_samples(views.samples)
        features = torch.cat([views.online[view].detach() for view in self.views])  # (V B, C)
        labels = views.samples[self.label_key].repeat(len(self.views))
        logits = self(features)
        loss = self.weight * self.objective(logits, labels)
        accuracy = (logits.detach().argmax(1) == labels).float().mean()
        return HeadStep(dict(loss_auxiliary=loss), dict(acc_auxiliary=accuracy))

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
    ) -> dict[str, Tensor]:
        """Return loss and accuracy of the views of a batch.

        Args:
            online: (B, C) pooled features by the number of their view.
            target: Not used.
            data_samples: Labels (B,) under ``label_key``.
        """
        return self.compute(Views(online, {}, data_samples or {})).results()
