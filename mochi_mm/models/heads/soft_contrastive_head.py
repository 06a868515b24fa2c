"""SCE: the query shall see the memory as its key does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from mochi_mm.models.functional.soft_targets import check_own_weight, soft_targets
from mochi_mm.models.heads.checks import check_temperature
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.memory_head import DataSamples
from mochi_mm.models.heads.roles import Roles, without
from mochi_mm.registry import MODELS


@MODELS.register_module()
class SoftContrastiveHead(ContrastiveHead):
    """Cross-entropy with a target that weighs memory rows by their likeness to the own key.

    ``own_weight`` on the own key, ``1 - own_weight`` over the memory. ``own_weight=1`` is InfoNCE.
    Source: Denize et al., Similarity Contrastive Estimation, WACV 2023; code CEA-LIST/SCE.

    Args:
        memory: The memory, as a config or a module.
        key_temperature: tau_m, of the target's softmax; above ``temperature`` the target is flatter
            than the prediction can be.
        own_weight: lambda, in [0, 1].
        own_slot: Whether the own key takes part in the target's softmax: ``masked``, not, as in the
            equation; ``zero``, with the logit 0, as in the code.
        **kwargs: As in :class:`~mochi_mm.models.heads.memory_head.MemoryHead`.
    """

    def __init__(
        self,
        memory: dict | nn.Module,
        key_temperature: float = 0.05,
        own_weight: float = 0.5,
        own_slot: str = 'masked',
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, **kwargs)
        self.key_temperature = check_temperature(key_temperature, 'key_temperature')
        check_own_weight(own_weight, own_slot)
        self.own_weight, self.own_slot = own_weight, own_slot

    def roles(self, key: Tensor, bank: Tensor, data_samples: DataSamples) -> Roles:
        """Add the soft target over the rows that the loss sees."""
        roles = super().roles(key, bank, data_samples)
        target = soft_targets(
            without(key @ bank.T, roles.dropped),
            self.key_temperature,
            self.own_weight,
            self.own_slot,
        )
        return replace(roles, target=target)
