"""Each part of a checkpoint is loaded whole, or left out and named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mochi_mm.evaluation.analysis import load_for_analysis
from mochi_mm.models.algorithms import InBatchContrast
from mochi_mm.models.heads import BalancedSoftmaxHead, SupConHead
from tests.evaluation.toy import ToyBackbone


def model(num_classes: int = 4, seed: int = 0) -> InBatchContrast:
    """A contrastive model with a classifier beside."""
    torch.manual_seed(seed)
    heads = dict(c=BalancedSoftmaxHead(num_classes, 16, class_counts=[2] * num_classes))
    return InBatchContrast(ToyBackbone(), head=SupConHead(), heads=heads)


def saved(path: Path, without: str = '?') -> str:
    state = {k: v for k, v in model(seed=1).state_dict().items() if not k.startswith(without)}
    torch.save(dict(state_dict=state, meta={}), path)
    return str(path)


def test_the_classifier_of_a_further_head_is_that_of_the_file(tmp_path: Path) -> None:
    built = model()
    _, absent = load_for_analysis(built, saved(tmp_path / 'a.pth'))
    assert not absent
    wanted = model(seed=1).state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in built.state_dict().items())


def test_a_part_of_an_algorithm_of_ones_own_is_loaded_too(tmp_path: Path) -> None:
    """By no name that is known here."""
    one, other = model(), model(seed=1)
    one.decoder, other.decoder = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    torch.save(dict(state_dict=other.state_dict(), meta={}), tmp_path / 'a.pth')
    _, absent = load_for_analysis(one, tmp_path / 'a.pth')
    assert not absent and torch.equal(one.decoder.weight, other.decoder.weight)


def test_a_classifier_that_is_not_there_is_named(tmp_path: Path) -> None:
    _, absent = load_for_analysis(model(), saved(tmp_path / 'a.pth', 'heads.'))
    assert list(absent) == ['classifier'] and 'holds no heads.*' in absent['classifier']


def test_a_classifier_of_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'heads\.c\.'):
        load_for_analysis(model(5), saved(tmp_path / 'a.pth'))
