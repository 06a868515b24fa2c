"""A regulariser against a known bias."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.distributed.rows import gather_rows, gather_rows_with_gradient, row_counts
from mochi_mm.models.functional.fair_kl import EMPTY_GROUPS, FORMS, fair_kl
from mochi_mm.models.heads.checks import check_choice, check_images, check_number, known
from mochi_mm.models.heads.in_batch_head import DataSamples
from mochi_mm.registry import MODELS


@MODELS.register_module()
class FairKLHead(BaseModule):
    """Pulls cosines with bias-aligned and bias-conflicting samples together (Barbano et al. 2023).

    It is added to another objective: ``backbone_head`` of :class:`InBatchContrast`. As in the
    authors' code it looks at the first view. Needs ``gt_label`` and a bias label.

    Args:
        weight: Of the term in the sum of losses, > 0.
        form: ``released``, ``moments`` or ``gaussian``; see
            :func:`~mochi_mm.models.functional.fair_kl.fair_kl`.
        spread: Weight of the deviations; has no effect in ``gaussian``.
        bias_key: Name of the bias label among the data samples.
        empty_group: What compares with a group that has no pairs in the batch: ``left_out``, or
            with a mean of ``zero``, as in the authors' code (``released`` only).
        init_cfg: See MMEngine.

    Raises:
        ValueError: A weight that is not above 0, a negative spread, an unknown form or treatment of
            empty groups, ``zero`` with another form than ``released``.
    """

    min_views = 1
    algorithms: tuple[str, ...] = ('InBatchContrast',)

    def __init__(
        self,
        weight: float = 1.0,
        form: str = 'released',
        spread: float = 1.0,
        bias_key: str = 'bias_label',
        empty_group: str = 'left_out',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_number('weight', weight, 1.0)
        check_number('spread', spread, 1.0, zero=True)
        check_choice('form', form, FORMS)
        check_choice('empty_group', empty_group, EMPTY_GROUPS)
        if empty_group == 'zero' and form != 'released':
            raise ValueError(
                f"empty_group='zero' is what the authors' code does, but form is {form!r}, which "
                "fits its moments to pairs and has none there; use form='released', or "
                "empty_group='left_out'."
            )
        self.empty_group = empty_group
        self.weight, self.form, self.spread, self.bias_key = weight, form, spread, bias_key

    def loss(self, features: Tensor, data_samples: DataSamples | None = None) -> dict[str, Tensor]:
        """Return ``loss_fair_kl`` of (B, V, D) raw features, the same on every rank.

        Raises:
            ValueError: Class or bias labels are missing or unknown, or there is a single image.
        """
        samples = data_samples or {}
        labels, biases = (
            gather_rows(known(samples, name, 'FairKLHead')) for name in ('gt_label', self.bias_key)
        )
        check_images(len(labels))
        with torch.autocast(features.device.type, enabled=False):
            rows = F.normalize(features[:, 0].float(), dim=1)
            rows = gather_rows_with_gradient(rows, row_counts(len(rows), rows.device))
            value = fair_kl(
                rows @ rows.T,
                labels[:, None] == labels,
                biases[:, None] == biases,
                self.form,
                self.spread,
                self.empty_group,
            )
        return dict(loss_fair_kl=self.weight * value)
