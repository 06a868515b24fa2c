"""The classifier beside an objective: its loss, what it leaves alone, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.models.heads import AuxiliaryClassifierHead
from mochi_mm.structures import Views
from mochi_mm.structures.protocols import Classifies

LABELS = dict(gt_label=torch.tensor([2, 0, 1, 1, 2]))


def features() -> dict[int, Any]:
    generator = torch.Generator().manual_seed(0)
    return {v: torch.randn(5, 4, generator=generator).requires_grad_() for v in range(3)}


@pytest.mark.parametrize('views', [(0, 1), (1,), (2, 0)])
def test_it_learns_from_its_views_and_nothing_flows_back(views: tuple[int, ...]) -> None:
    head, given = AuxiliaryClassifierHead(3, 4, views, weight=2.0), features()
    found = head.loss_views(given, None, LABELS)
    expected = [F.cross_entropy(head.fc(given[v].detach()), LABELS['gt_label']) for v in views]
    assert float(found['loss_auxiliary'].detach()) == pytest.approx(
        2 * float(torch.stack(expected).mean().detach()), rel=1e-6
    )
    right = [head.predict(given[v]).argmax(1) == LABELS['gt_label'] for v in views]
    assert float(found['acc_auxiliary']) == pytest.approx(float(torch.cat(right).float().mean()))
    found['loss_auxiliary'].backward()
    assert head.fc.weight.grad is not None and float(head.fc.weight.grad.abs().sum()) > 0
    assert all(rows.grad is None for rows in given.values())
    assert isinstance(head, Classifies)


def test_refusals() -> None:
    for views in ((), (-1,), ('1',)):
        with pytest.raises(ValueError, match='expected the numbers of one or more views'):
            AuxiliaryClassifierHead(3, 4, views)
    with pytest.raises(ValueError, match='weight is 0'):
        AuxiliaryClassifierHead(3, 4, weight=0)
    with pytest.raises(ValueError, match=r'learns from the views \[3\] but the batch has \[0, 1'):
        AuxiliaryClassifierHead(3, 4, (3,)).compute(Views(features(), samples=LABELS))
    with pytest.raises(ValueError, match='holds the label 2; expected 0 to 1'):
        AuxiliaryClassifierHead(2, 4).compute(Views(features(), samples=LABELS))
