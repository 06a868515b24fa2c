"""The second view of each image mixed with that of the image at its place in the reversed batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor
from mochi_mm.models.view_editors.check_classes import check_classes
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts, DataSamples
from mochi_mm.structures.known import require_known
from mochi_mm.utils.checks import check_number, check_open_share

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm


@MODELS.register_module()
class ReverseMixing(BaseViewEditor):
    """Mix the second view, ``x' = lambda x_i + (1 - lambda) x_(B-1-i)``, as Un-Mix and SupMix do.

    The first view stays as it is. lambda is one number for a step, the same on all ranks; the batch
    that is reversed is this rank's. Added to the samples: ``own_share`` (B,), lambda, and
    ``partner_label`` (B,), the class of the other image. Sources: Un-Mix (arXiv 2003.05438), where
    the reversed batch comes from, and the code of UniCon (Han and Chen, arXiv 2204.10695), which
    compares itself with SupMix.

    Args:
        own_share: lambda, the share of the image itself, inside (0, 1); None draws it.
        alpha: The share is drawn from Beta(alpha, alpha), > 0; None for 0.5, where there is no
            ``own_share``.
        label_key: Name of the labels among the data samples.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, both of them; before the first iteration, images without
            a label; at the first batch, other than two views.

    >>> editor = ReverseMixing(own_share=0.75)
    >>> views = [torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)] * 2
    >>> views, samples = editor(views, dict(gt_label=torch.tensor([3, 5])), None)
    >>> views[1].flatten().tolist(), samples['partner_label'].tolist()
    ([0.25, 0.75], [5, 3])
    """

    makes = 'mixed'

    def __init__(
        self,
        own_share: float | None = None,
        alpha: float | None = None,
        label_key: str = 'gt_label',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        # No start_epoch and no probability: the head needs the mixture in every step.
        super().__init__(init_cfg=init_cfg)
        if own_share is not None and alpha is not None:
            raise ValueError(
                f'own_share is {own_share} and alpha is {alpha}; expected one of them: a share of '
                'its own, or one that is drawn from Beta(alpha, alpha).'
            )
        self.own_share = None if own_share is None else check_open_share('own_share', own_share)
        self.alpha = check_number('alpha', 0.5 if alpha is None else alpha, 0.5)
        self.label_key = label_key

    def made(self, num_views: int) -> tuple[int, ...]:
        """Return the number of the mixed view, 1."""
        return (1,)

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a training set without labels.

        Raises:
            ValueError: Such a training set.
        """
        if self.label_key == 'gt_label':
            check_classes(facts, 'ReverseMixing', least=1)

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch without labels.

        Raises:
            ValueError: A label is not known.
        """
        require_known(samples, self.label_key, 'ReverseMixing')

    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return the views, the second one mixed; samples with what was mixed."""
        if len(inputs) != 2:
            raise ValueError(
                f'{len(inputs)} views; ReverseMixing mixes the second of two: set num_views to 2, '
                'and that of MultiView in the pipeline.'
            )
        labels = require_known(samples, self.label_key, 'ReverseMixing')
        first, second = inputs
        share = self._share()
        shares = torch.full(labels.shape, share, device=labels.device)
        added = dict(own_share=shares, partner_label=labels.flip(0))
        return [first, torch.lerp(second.flip(0), second, share)], {**samples, **added}

    def _share(self) -> float:
        """Return lambda of this step; drawn on the host, so nothing waits for a device."""
        if self.own_share is not None:
            return self.own_share
        generator = np.random.Generator(np.random.Philox(key=self.number()))
        return float(generator.beta(self.alpha, self.alpha))
