"""The linear probe's classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.registry import MODELS
from mochi_mm.structures.known import check_integers, check_lengths
from mochi_mm.utils.checks import check_integer


@MODELS.register_module()
class LinearHead(BaseModule):
    """One linear layer with cross-entropy, started from N(0, 0.01) weights and zero bias.

    The protocol of He et al. 2020, section 4.1. Logits are float32 under any autocast.

    Args:
        num_classes: Number of classes.
        in_channels: Width of the features.
        label_smoothing: Share of the target spread evenly over all classes, in [0, 1).
        normalize_input: Scale each row of features to unit length first.
        label_key: Name of the labels among the data samples.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A width or a number of classes below 1, or a smoothing out of range.

    >>> head = LinearHead(num_classes=10, in_channels=512)
    >>> losses = head.loss(torch.randn(4, 512), dict(gt_label=torch.tensor([3, 1, 4, 1])))
    >>> sorted(losses), head.predict(torch.randn(4, 512)).shape
    (['acc_top1', 'loss_classification'], torch.Size([4, 10]))
    """

    #: What the head takes: pooled features of one view.
    takes = 'features'
    tap = 'backbone'

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        label_smoothing: float = 0.0,
        normalize_input: bool = False,
        label_key: str = 'gt_label',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        for name, value in (('num_classes', num_classes), ('in_channels', in_channels)):
            check_integer(f'LinearHead {name}', value, 10)
        if not isinstance(label_smoothing, (int, float)) or not 0 <= label_smoothing < 1:
            raise ValueError(
                f'LinearHead label_smoothing is {label_smoothing!r}; expected a number >= 0 and '
                'below 1.'
            )
        self.num_classes, self.in_channels = num_classes, in_channels
        self.label_key = label_key
        self.label_smoothing, self.normalize_input = float(label_smoothing), normalize_input
        self.fc = nn.Linear(in_channels, num_classes)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, num_classes) float32 logits of (B, in_channels) features."""
        with torch.autocast(features.device.type, enabled=False):
            rows = features.float()
            if self.normalize_input:
                rows = unit_rows(rows)
            return F.linear(rows, self.fc.weight.float(), self.fc.bias.float())

    def loss(
        self, features: Tensor, data_samples: Mapping[str, Tensor] | None
    ) -> dict[str, Tensor]:
        """Return ``loss_classification`` (nats) and ``acc_top1`` (share of the batch, 0 to 1).

        Args:
            features: (B, in_channels).
            data_samples: Labels (B,) under ``label_key``.

        Raises:
            ValueError: No integer label of each row, or one outside [0, num_classes).
        """
        samples = data_samples or {}
        check_lengths(samples, len(features))
        self.check_samples(samples)
        labels = samples[self.label_key]
        logits = self(features)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        return dict(loss_classification=self.objective(logits, labels), acc_top1=accuracy)

    def objective(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of (B, num_classes) logits for labels (B,), a scalar in nats."""
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)

    def logits(self, features: Tensor) -> Tensor:
        """Return (B, num_classes) float32 logits of (B, in_channels) features."""
        return self(features)

    def predict(self, features: Tensor) -> Tensor:
        """Return (B, num_classes) probabilities."""
        return self(features).softmax(dim=1)

    def check_samples(self, samples: Mapping[str, Tensor]) -> None:
        """Refuse a batch with labels that the classifier does not have.

        The data preprocessor calls it before the batch is moved to the device; values on an
        accelerator are not read.

        Raises:
            ValueError: No integer label of each sample, or one outside [0, num_classes).
        """
        labels = samples.get(self.label_key)
        if labels is None:
            raise ValueError(
                f'the batch has no {self.label_key}; a classifier is trained on labeled data.'
            )
        check_integers(self.label_key, labels)
        if labels.device.type != 'cpu':
            return
        wrong = labels[(labels < 0) | (labels >= self.num_classes)]
        if len(wrong):
            value = int(wrong[0])
            fix = (
                '-1 means no label: use a data set with labels, for an image folder one '
                'sub-folder for each class.'
                if value < 0
                else f'set num_classes of the head to at least {int(wrong.max()) + 1}.'
            )
            raise ValueError(
                f'the batch holds the label {value}; expected 0 to {self.num_classes - 1}. {fix}'
            )
