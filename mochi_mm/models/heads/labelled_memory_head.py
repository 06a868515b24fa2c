"""Supervised contrast against a memory: rows of the query's class pull."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from mochi_mm.models.heads.checks import check_choice, known
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.memory_head import DataSamples
from mochi_mm.models.heads.roles import Roles
from mochi_mm.models.heads.sup_con_head import FORMS
from mochi_mm.registry import MODELS


@MODELS.register_module()
class LabelledMemoryHead(ContrastiveHead):
    """SupCon over the own key and the memory: the own key and same-class rows pull, all push.

    Every sample needs a ``gt_label``. Only rows of other classes are mixed. With ``L_out`` the own
    key pulls as much as any of the class's rows; with ``L_in`` what is near pulls most, which at
    first is the own key. Source: Khosla et al., Supervised Contrastive Learning, NeurIPS 2020,
    eq. 2 and 3, with the memory of its section on small batches.

    Args:
        memory: The memory, as a config or a module.
        form: ``out`` (``L_out``) or ``in`` (``L_in``).
        **kwargs: As in :class:`~mochi_mm.models.heads.memory_head.MemoryHead`.

    Raises:
        ValueError: An unknown form; ``oracle_loss``, which would drop what pulls; at the first
            batch, a sample without a label.
    """

    def __init__(self, memory: dict | nn.Module, form: str = 'out', **kwargs: Any) -> None:
        super().__init__(memory, **kwargs)
        self.pull_form = FORMS[check_choice('form', form, list(FORMS))]
        if self.oracle_loss:
            raise ValueError(
                'oracle_loss=True drops the rows of the class, which are what pulls here; take it '
                'out, or use ContrastiveHead.'
            )

    def roles(self, key: Tensor, bank: Tensor, data_samples: DataSamples) -> Roles:
        """Make the rows of each query's class positives."""
        labels = known(data_samples, 'gt_label', 'LabelledMemoryHead')
        roles = super().roles(key, bank, data_samples)
        return replace(roles, positives=self.memory.same_class(labels))
