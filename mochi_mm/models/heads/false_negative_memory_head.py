"""FNC against a memory: rows that look like this image do not push it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.models.heads.checks import check_choice
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.false_negative_finder import STRATEGIES
from mochi_mm.models.heads.memory_head import DataSamples, Views, repeat_samples
from mochi_mm.models.heads.roles import Roles, either
from mochi_mm.registry import MODELS


@MODELS.register_module()
class FalseNegativeMemoryHead(ContrastiveHead):
    """The MoCo objective without, or attracted by, the false negatives in the memory.

    Needs an algorithm whose key encoder sees every view (:class:`MomentumContrast`). A query is
    pulled to the keys of its image's other views that are contrasted; the keys of the views that
    score find the false negatives. Contrasted keys enter the memory; rows that hold no key yet, or
    that a setting drops, are never found. What is found is not mixed. Source: Huynh et al., WACV
    2022.

    Args:
        memory: The memory, as a config or a module.
        finder: A :class:`FalseNegativeFinder`, as a config or a module.
        strategy: ``attract``, ``eliminate``, or ``none`` for the plain objective.
        **kwargs: As in :class:`~mochi_mm.models.heads.memory_head.MemoryHead`.

    Raises:
        ValueError: An unknown strategy; at the first batch, too few views.
    """

    algorithms = ('MomentumContrast',)

    def __init__(
        self,
        memory: dict | nn.Module,
        finder: dict | nn.Module,
        strategy: str = 'attract',
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, **kwargs)
        built: Any = MODELS.build(finder) if isinstance(finder, dict) else finder
        self.finder = built
        self.strategy = check_choice('strategy', strategy, STRATEGIES)
        self.min_views = 2 + built.num_support

    def _loss(self, queries: Views, keys: Views, samples: DataSamples) -> dict[str, Tensor]:
        views = sorted(keys)
        positives, scoring = self.finder.contrasted(views), self.finder.scoring(views)
        self.check_view_numbers(list(queries), views)
        bank = self.memory.snapshot()
        support = torch.stack([keys[view] for view in scoring], dim=1)
        own = torch.cat(
            [
                torch.stack([(query * keys[j]).sum(1) for j in positives if j != i], dim=1)
                for i, query in queries.items()
            ]
        )
        repeated = repeat_samples(samples, len(queries))
        roles = self.roles(own, bank, repeated)
        # What the loss does not see must not use up top_k; it is the same for all of an image's
        # queries, of which the first come first.
        unseen = None if roles.dropped is None else roles.dropped[: len(support)]
        found = self.finder(support, bank, either(~self.memory.held(), unseen))
        roles = self._give_roles(roles, found.repeat(len(queries), 1))
        losses = self.compare(torch.cat(list(queries.values())), own, bank, roles)
        return dict(losses, false_negatives=found.float().sum(1).mean())

    def _give_roles(self, roles: Roles, found: Tensor) -> Roles:
        if self.strategy == 'attract':
            return replace(roles, positives=found)
        if self.strategy == 'eliminate':
            dropped, unmixed = either(roles.dropped, found), either(roles.unmixed, found)
            return replace(roles, dropped=dropped, unmixed=unmixed)
        return roles

    def _enqueue(self, keys: Views, samples: DataSamples) -> None:
        contrasted = self.finder.contrasted(sorted(keys))
        super()._enqueue({view: keys[view] for view in contrasted}, samples)

    def check_view_numbers(self, queries: Sequence[int], keys: Sequence[int]) -> None:
        """Refuse queries of views whose keys are not contrasted.

        Raises:
            ValueError: Such a query, or too few views.
        """
        positives = self.finder.contrasted(sorted(keys))
        strangers = sorted(set(queries) - set(positives))
        if strangers:
            raise ValueError(
                f'the views {strangers} are queries but their keys are not contrasted, only those '
                f'of {positives}; expected queries among these: set online_views and target_views '
                'of the algorithm, support views come last.'
            )
