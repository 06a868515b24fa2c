"""A regularizer against a known bias."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, gather_rows_with_gradient, row_counts
from mochi_mm.models.blocks.batch import check_images
from mochi_mm.models.functional.fair_kl import EMPTY_GROUPS, FORMS, fair_kl
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples, HeadStep, Views
from mochi_mm.structures.known import check_lengths, require_known
from mochi_mm.utils.checks import check_choice, check_number


@MODELS.register_module()
class FairKLHead(BaseModule):
    """Pull cosines with bias-aligned and bias-conflicting samples together (Barbano et al. 2023).

    It is added to another objective, in ``heads`` of :class:`InBatchContrast`; the authors tap the
    backbone. As in their code it looks at the first view. Needs a class label and a bias label.

    Args:
        weight: Weight of the term in the sum of losses, > 0.
        form: ``released``, ``moments`` or ``gaussian``; see
            :func:`~mochi_mm.models.functional.fair_kl.fair_kl`.
        spread: Weight of the deviations; None is 1. There are none in ``gaussian``.
        label_key: Name of the class label among the data samples.
        bias_key: Name of the bias label among them.
        tap: Features that the head is given: ``predictor``, ``neck`` or ``backbone``.
        empty_group: Treatment of a group that has no pairs in the batch: ``left_out`` of the
            comparison, or compared as one with a mean of ``zero``, as in the authors' code
            (``released`` only).
        init_cfg: See MMEngine.

    Raises:
        ValueError: A weight that is not above 0, a negative spread, an unknown form or treatment of
            empty groups, ``zero`` with another form than ``released``.

    >>> from mochi_mm.models.heads import NTXentHead
    >>> features = torch.randn(6, 2, 16).requires_grad_()
    >>> labels = torch.tensor([0, 0, 0, 1, 1, 1])
    >>> samples = dict(gt_label=labels, bias_label=torch.tensor([0, 0, 1, 1, 1, 0]))
    >>> main, fair = NTXentHead(), FairKLHead(weight=0.5)
    >>> loss = main.loss(features)['loss_contrast'] + fair.loss(features, samples)['loss_fair_kl']
    >>> loss.backward()
    """

    #: What the head takes: views of the trained encoder.
    takes = 'views'
    min_views = 1
    max_views: int | None = None

    def __init__(
        self,
        weight: float = 1.0,
        form: str = 'released',
        spread: float | None = None,
        label_key: str = 'gt_label',
        bias_key: str = 'bias_label',
        empty_group: str = 'left_out',
        tap: str = 'predictor',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_number('FairKLHead weight', weight, 1.0)
        check_choice('form', form, FORMS)
        if spread is not None and form == 'gaussian':
            raise ValueError(
                f"spread is {spread!r} and form is 'gaussian', which has no such weight; leave it "
                'out, or choose another form.'
            )
        spread = check_number('spread', 1.0 if spread is None else spread, 1.0, zero=True)
        check_choice('empty_group', empty_group, EMPTY_GROUPS)
        if empty_group == 'zero' and form != 'released':
            raise ValueError(
                f"empty_group='zero' is what the authors' code does, but form is {form!r}, which "
                "fits its moments to pairs and has none there; use form='released', or "
                "empty_group='left_out'."
            )
        self.empty_group, self.tap = empty_group, tap
        self.weight, self.form, self.spread = weight, form, spread
        self.label_key, self.bias_key = label_key, bias_key

    def loss_views(
        self,
        online: Mapping[int, Tensor],
        target: Mapping[int, Tensor] | None = None,
        data_samples: DataSamples | None = None,
    ) -> dict[str, Tensor]:
        """Return ``loss_fair_kl`` of the first of the ``online`` views; ``target`` is not used."""
        return self.compute(Views(online, target or {}, data_samples or {})).results()

    def compute(self, views: Views) -> HeadStep:
        """Return ``loss_fair_kl`` of the first online view; there is nothing to write."""
        return HeadStep(self.loss(next(iter(views.online.values()))[:, None], views.samples), {})

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch with unknown class or bias labels; called on the host's copy.

        Raises:
            ValueError: A label is missing or unknown.
        """
        for name in (self.label_key, self.bias_key):
            require_known(samples, name, 'FairKLHead')

    def loss(self, features: Tensor, data_samples: DataSamples | None = None) -> dict[str, Tensor]:
        """Return ``loss_fair_kl`` of (B, V, D) raw features, the same on every rank.

        Raises:
            ValueError: Class or bias labels are missing or unknown, or there is a single image.
        """
        samples = data_samples or {}
        check_lengths(samples, len(features))
        labels, biases = (
            gather_rows(require_known(samples, name, 'FairKLHead'))
            for name in (self.label_key, self.bias_key)
        )
        check_images(len(labels))
        with torch.autocast(features.device.type, enabled=False):
            rows = unit_rows(features[:, 0])  # (B, D)
            rows = gather_rows_with_gradient(rows, row_counts(len(rows)))
            value = fair_kl(
                rows @ rows.T,  # (M, M), M images of all ranks
                labels[:, None] == labels,  # (M, M)
                biases[:, None] == biases,  # (M, M)
                self.form,
                self.spread,
                self.empty_group,
            )
        return dict(loss_fair_kl=self.weight * value)
