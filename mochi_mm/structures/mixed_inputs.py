"""Queries of mixed images: which two images each one shows, and how much of each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mochi_mm.structures.views import DataSamples

#: Names among the data samples.
PARTNER, SHARE = 'mix_partner', 'mix_share'


@dataclass(frozen=True)
class MixedInputs:
    """Partner and share of each mixed query; a view editor writes them, heads read them.

    Attributes:
        partner: (B,) int64, number of the image that was mixed in, in the batch of this rank.
        share: (B,) float32 in [0, 1], share of the image itself.

    >>> samples = MixedInputs(torch.tensor([1, 0]), torch.tensor([0.75, 0.5])).added_to({})
    >>> MixedInputs.of(samples).weights(torch.arange(2))
    tensor([[0.7500, 0.2500],
            [0.5000, 0.5000]])
    """

    partner: Tensor
    share: Tensor

    @classmethod
    def of(cls, samples: DataSamples) -> MixedInputs | None:
        """Return what an editor wrote into the samples, None where nothing was mixed."""
        return cls(samples[PARTNER], samples[SHARE]) if PARTNER in samples else None

    def added_to(self, samples: DataSamples) -> dict[str, Tensor]:
        """Return the samples with partner and share among them."""
        return {**samples, PARTNER: self.partner, SHARE: self.share}

    def alone(self, image: Tensor) -> Tensor:
        """Return (B,) bool, where an image was mixed with itself.

        Args:
            image: (B,) int64, number of each query's own image in the batch of this rank.
        """
        return self.partner == image

    def weights(self, image: Tensor) -> Tensor:
        """Return (B, 2) the target: weight of the own image and of its partner, 1 and 0 if alone.

        Args:
            image: As in :meth:`alone`.
        """
        share = self.share.masked_fill(self.alone(image), 1.0)
        return torch.stack([share, 1 - share], dim=1)

    def of_partners(self, samples: DataSamples) -> dict[str, Tensor]:
        """Return the samples (A,) of the partners, for anchors that stand view by view.

        Args:
            samples: Tensors (A,) by name, the batch one or several times.
        """
        return {name: values[self.partner] for name, values in samples.items()}
