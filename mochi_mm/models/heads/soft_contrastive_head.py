"""The SCE objective: the query's similarity distribution over the memory follows its key's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.functional.contrast_blocks import weights_of
from mochi_mm.models.functional.soft_targets import check_own_weight, soft_targets
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, Views
from mochi_mm.structures.masks import without
from mochi_mm.utils.checks import check_temperature


@MODELS.register_module()
class SoftContrastiveHead(ContrastiveHead):
    """Match the query's similarity distribution over the memory to that of its key.

    ``own_weight`` on the own key, ``1 - own_weight`` over the memory. ``own_weight=1`` is InfoNCE.
    Rows with a share in the target can be mixed. The target of a mixed query is that of its own key
    and that of its partner's, by their shares.
    Source: Denize et al., Similarity Contrastive Estimation, WACV 2023; code CEA-LIST/SCE.

    Args:
        memory: The memory, as a config or a module.
        key_temperature: tau_m, temperature of the target's softmax; above ``temperature`` the
            target is flatter than the prediction can be.
        own_weight: lambda, weight of the own key in the target, in [0, 1].
        own_slot: Place of the own key in the target's softmax: ``masked``, none, as in the
            equation; ``zero``, with the logit 0, as in the code.
        **kwargs: As in :class:`~mochi_mm.models.heads.ContrastiveHead`.

    Raises:
        ValueError: A setting out of range; ``batch_keys``, which the target does not know.

    >>> from mochi_mm.models.memories import FeatureQueue
    >>> head = SoftContrastiveHead(FeatureQueue(length=64, dim=16), own_weight=0.5)
    >>> query, key = torch.randn(2, 4, 16).requires_grad_()
    >>> head.loss(query, key)['loss_contrast'].backward()
    """

    # Every row pulls by its share and pushes; none is a negative alone.
    estimable = False
    not_removable = 'every candidate attracts by its share'

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
        if self.batch_keys:
            raise ValueError(
                'batch_keys=True, but the target of SoftContrastiveHead is spread over the memory '
                'alone, so keys of the batch would only push; take it out, or use ContrastiveHead.'
            )

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return the blocks with the share of each row in the target; own keys have the rest."""
        own, memory = blocks
        keys = own.need('rows')  # (A, P, D): P is 1, or 2 of a mixed query
        weights = own.but(pull=weights_of(own)).need('pull')  # (A, P)
        targets = [
            weights[:, p : p + 1] * self._target(keys[:, p], memory) for p in range(keys.shape[1])
        ]  # P times (A, K)
        shares = torch.stack([target.sum(1) for target in targets], dim=1)  # (A, P)
        rest = (weights - shares).clamp_min(0)  # (A, P)
        return [own.but(pull=rest), memory.but(pull=sum(targets[1:], targets[0]))]

    def _target(self, key: Tensor, memory: Block) -> Tensor:
        """Return (A, K) the share of each row in the target of a key (A, D)."""
        return soft_targets(
            without(self.similarity(key, memory.need('rows')), memory.dropped),
            self.key_temperature,
            self.own_weight,
            self.own_slot,
        )

    def pushing(self, block: Block) -> Tensor:
        """Return (A, K) the similarity of every row that is not dropped: all of them push."""
        return block.seen().detach()
