"""A model by name: initialized, or with the weights of a checkpoint and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mochi_mm

NAME = 'mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes'


def test_weights_are_initialized_as_a_run_does() -> None:
    model = mochi_mm.get_model(NAME)
    # MoCo.init_weights copies the trained encoder; torch's own draws would differ.
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(value, model.key_encoder['backbone'].state_dict()[name]), name
    torch.manual_seed(3)
    first = mochi_mm.get_model(NAME).backbone.conv1.weight
    torch.manual_seed(3)
    assert torch.equal(first, mochi_mm.get_model(NAME).backbone.conv1.weight)


def test_weights_come_from_the_checkpoint(tmp_path: Path) -> None:
    trained = mochi_mm.get_model(NAME)
    trained.head.memory.enqueue(torch.eye(64)[:5])
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'epoch_1.pth')
    model = mochi_mm.get_model(NAME, weights=tmp_path / 'epoch_1.pth')
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name]), name
    assert int(model.head.memory.count) == 5


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    content = mochi_mm.get_model(NAME).state_dict()
    lacking = {name: value for name, value in content.items() if name != 'neck.layers.0.weight'}
    assert len(lacking) == len(content) - 1
    torch.save(lacking, tmp_path / 'lacking.pth')
    with pytest.raises(ValueError, match=r'missing.*neck\.layers\.0\.weight'):
        mochi_mm.get_model(NAME, weights=tmp_path / 'lacking.pth')
    with pytest.raises(FileNotFoundError, match='none.pth'):
        mochi_mm.get_model(NAME, weights=tmp_path / 'none.pth')


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(KeyError, match=f'Nearest names: {NAME}'):
        mochi_mm.get_model(NAME.replace('quickstart', 'quikstart'))


def test_the_package_stays_cheap_to_import() -> None:
    """Torch comes with the first thing that is built; listing needs none."""
    code = (
        'import sys, mochi_mm; assert "build" in dir(mochi_mm); '
        'print(len(mochi_mm.list_models()) > 50, "torch" in sys.modules)'
    )
    done = subprocess.run([sys.executable, '-c', code], text=True, capture_output=True)
    assert done.stdout.split() == ['True', 'False'], done.stderr
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = mochi_mm.no_such_name
