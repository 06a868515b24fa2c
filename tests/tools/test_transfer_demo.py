"""The demo touches its folder only when it can run, and only if the folder is its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mmengine.registry import init_default_scope

from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.launch.config import load_config
from mochi_mm.registry import MODELS
from tools import transfer_demo


@pytest.fixture(autouse=True)
def own_scope_afterwards() -> Iterator[None]:
    """Other tests expect ours, not mmdet's."""
    yield
    init_default_scope('mochi_mm')


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What an earlier run has left."""
    folder = tmp_path / 'out'
    (folder / 'data').mkdir(parents=True)
    (folder / transfer_demo.MARKER).touch()
    (folder / 'summary.json').write_text('{}')
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of the network that the demo starts from."""
    config = load_config(transfer_demo.ROOT / transfer_demo.PRETRAINING)
    init_default_scope('mochi_mm')
    model = MODELS.build(config.model)
    meta = dict(mochi_mm=describe_weights(model, config))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'epoch_1.pth')
    return tmp_path / 'epoch_1.pth'


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_earlier_run_is_replaced(out: Path, checkpoint: Path) -> None:
    assert transfer_demo.prepare(out, checkpoint) == checkpoint
    assert names(out) == [transfer_demo.MARKER]


def test_a_folder_of_data_is_not_a_run(out: Path, checkpoint: Path) -> None:
    (out / transfer_demo.MARKER).unlink()
    with pytest.raises(ValueError, match='holds other files'):
        transfer_demo.prepare(out, checkpoint)
    assert names(out) == ['data', 'summary.json']


@pytest.mark.parametrize('case', ['missing', 'no checkpoint', 'another network'])
def test_bad_weights_leave_the_earlier_run(out: Path, tmp_path: Path, case: str) -> None:
    path, error = tmp_path / 'typo.pth', ValueError
    if case == 'missing':
        error = FileNotFoundError
    elif case == 'no checkpoint':
        path.write_bytes(b'no pickle')
    else:
        torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(64, 3, 7, 7)}), path)
    with pytest.raises(error, match=r'typo\.pth'):
        transfer_demo.prepare(out, path)
    assert names(out) == ['data', 'summary.json', transfer_demo.MARKER]


def test_the_weights_may_not_lie_in_what_is_emptied(out: Path, checkpoint: Path) -> None:
    inside = checkpoint.rename(out / checkpoint.name)
    with pytest.raises(ValueError, match=r'would be emptied but holds .*epoch_1\.pth'):
        transfer_demo.prepare(out, inside)
    assert inside.is_file()


def test_the_repository_and_the_working_folder_are_safe(checkpoint: Path) -> None:
    for folder in (transfer_demo.ROOT, transfer_demo.ROOT.parent, Path()):
        with pytest.raises(ValueError, match='would be emptied but holds'):
            transfer_demo.prepare(folder, checkpoint)
