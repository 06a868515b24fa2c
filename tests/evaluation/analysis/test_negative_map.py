"""The points of a map: each synthetic one is what its parents say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.evaluation.analysis import AnalysisSettings
from mochi_mm.evaluation.analysis.negative_map import negative_maps
from tests.evaluation.analysis.toy import pairs, trained_moco
from tests.models.algorithms.toy import PAIRS


def maps(most: int = 128, count: int = 3) -> tuple[Any, Any, list[Any]]:
    model = trained_moco()
    loader = pairs(AnalysisSettings(num_queries=4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = negative_maps(model, loader, 0, count, most)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    return model, next(iter(loader))['data_samples'], found


def test_points_and_parents() -> None:
    model, samples, found = maps()
    bank = model.head.memory
    assert len(found) == 3
    for b, one in enumerate(found):
        np.testing.assert_allclose(np.linalg.norm(one.points, axis=1), 1, atol=1e-6)
        kinds = one.kinds.tolist()
        assert kinds[:2] == ['query', 'key']
        for kind, number in (('PairMixing', 6), ('QueryMixing', 3)):
            assert kinds.count(kind) == number
        assert (one.parents[: 2 + kinds.count('hard')] == -1).all()
        for row in np.flatnonzero(np.isin(one.kinds, ['PairMixing', 'QueryMixing'])):
            first, second = (one.points[parent] for parent in one.parents[row])
            assert one.kinds[one.parents[row][0]] == 'hard'
            assert one.kinds[one.parents[row][1]] == (
                'hard' if one.kinds[row] == 'PairMixing' else 'query'
            )
            # It lies on the arc between its parents: the two angles add up.
            angles = [
                np.arccos(np.clip(x @ y, -1, 1))
                for x, y in ((first, one.points[row]), (one.points[row], second), (first, second))
            ]
            assert angles[0] + angles[1] == pytest.approx(angles[2], abs=2e-3)
        rows = torch.from_numpy(one.points[one.kinds == 'hard']).float()
        where = (rows @ bank.features.T).argmax(1)
        assert torch.allclose(bank.features[where], rows)
        assert (bank.indices[where] != samples['sample_idx'][b]).all()  # never its own older key
        same = (bank.labels[where] == samples['gt_label'][b]) & (bank.labels[where] >= 0)
        assert one.same_class[one.kinds == 'hard'].tolist() == same.tolist()
        assert not one.same_class[one.kinds != 'hard'].any()


def test_fewer_are_shown_but_every_parent_is() -> None:
    _, _, (one,) = maps(most=1, count=1)
    kinds = one.kinds.tolist()
    assert [kinds.count(mixer['type']) for mixer in PAIRS] == [1, 1]
    assert 1 <= kinds.count('hard') <= 4
    assert (one.parents[kinds.index('PairMixing')] >= 2).all()
