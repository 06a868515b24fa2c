"""What heads on keys of the batch share: who attracts, and figures of mixed queries."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.heads import KeyBatchHead, NPairHead
from mochi_mm.models.heads.batch_keys_head import BatchKeysHead
from mochi_mm.structures import MixedInputs, Views
from tests.models.heads.worked import random_views


@pytest.mark.parametrize('kind', [NPairHead, KeyBatchHead])
def test_a_mixed_query_has_two_keys_and_the_figures_of_its_own(kind: type[BatchKeysHead]) -> None:
    first, second = random_views(4, 2).unbind(1)
    online, target = ({0: first, 1: second}, {}) if kind is NPairHead else ({0: first}, {1: second})
    partner, share = torch.tensor([1, 2, 3, 0]), torch.full((4,), 0.75)
    samples = MixedInputs(partner, share).added_to({})
    plain, mixed = (kind().compute(Views(online, target, s)) for s in ({}, samples))
    pull = mixed.blocks[0].need('pull')
    assert torch.equal(pull.diagonal(), share)
    assert torch.equal(pull[torch.arange(4), partner], 1 - share)
    # Positives are the own keys, though another one attracts as well.
    assert torch.equal(plain.statistics['sim_positive'], mixed.statistics['sim_positive'])
