"""Parts of a head that have nothing to act on."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.heads import (
    ContrastiveHead,
    CrossViewHead,
    DecoupledHead,
    ESupConHead,
    FairKLHead,
    FalseNegativeHead,
    NTXentHead,
    OpenConHead,
    SkewRenyiHead,
    SoftContrastiveHead,
    SupConHead,
    UniConHead,
)
from tests.models.heads.toy import finder, memory

ORACLE = dict(rule='oracle')
ALIKE = dict(rule='threshold', threshold=0.9)
TABLE = dict(type='SampleTable', length=9)
BANKS = [dict(type='InstanceBank', length=8, dim=16) for _ in range(2)]


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: SkewRenyiHead(negatives={}), 'objective of SkewRenyiHead has no sum over'),
        (lambda: SoftContrastiveHead(memory(), removal=ORACLE), 'attracts by its share'),
        (lambda: FalseNegativeHead(finder(), removal=ORACLE), 'looks for false negatives itself'),
        (lambda: SupConHead(removal=ORACLE), 'class is what attracts in SupConHead'),
        (lambda: NTXentHead(removal=finder()), 'FalseNegativeFinder is no FalseNegativeRemoval'),
        (lambda: NTXentHead(table=TABLE), 'nothing in NTXentHead asks for labels'),
        (lambda: ContrastiveHead(memory(), table=TABLE), 'nothing in ContrastiveHead asks for'),
        (lambda: OpenConHead(4, 2, 16, table=TABLE), 'nothing in OpenConHead asks for labels'),
        (
            lambda: OpenConHead(4, 2, 16, temperature=0.2),
            'OpenConHead temperature is 0.2',
        ),
        (lambda: OpenConHead(4, 2, 16, removal=ALIKE), 'but OpenConHead has no negatives'),
        (lambda: UniConHead(removal=ALIKE), "removal is .* and key_source is 'universum'"),
        (lambda: UniConHead(threshold=dict(length=9)), r'(?s)threshold is .* and key_source is'),
        (lambda: ESupConHead(4, 16, threshold=dict(length=9)), 'but ESupConHead has anchors that'),
        (lambda: FairKLHead(form='gaussian', spread=1.0), "spread is 1.0 and form is 'gaussian'"),
        (lambda: DecoupledHead(detach_weight=True), 'detach_weight is True and sigma is None'),
        (lambda: CrossViewHead(BANKS, 3, 'softmax', eps=0.1), "eps is 0.1 and form is 'softmax'"),
    ],
)
def test_they_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_others_are_accepted() -> None:
    for head in (SupConHead(removal=ALIKE), SkewRenyiHead(removal=ORACLE)):
        assert head.removal is not None
    for head in (SupConHead(table=TABLE), ContrastiveHead(memory(), table=TABLE, oracle_loss=True)):
        assert head.table is not None
    assert UniConHead('real+universum', removal=ALIKE).removal is not None


def test_the_weight_of_opencon_acts_on_every_term() -> None:
    features, samples = torch.randn(5, 2, 16), dict(gt_label=torch.tensor([0, 1, -1, -1, -1]))
    plain, heavy = (OpenConHead(4, 2, 16, weight=weight) for weight in (1.0, 3.0))
    plain.set_epoch(50, 100), heavy.set_epoch(50, 100)
    light = plain.loss(features, samples)
    for name, loss in heavy.loss(features, samples).items():
        if name.startswith('loss_'):
            torch.testing.assert_close(loss, 3 * light[name])
