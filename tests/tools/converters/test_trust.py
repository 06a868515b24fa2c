"""Files of other programs that a user trusts become data, whoever wrote them."""

from __future__ import annotations

import collections
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.export.detectron2_format import to_detectron2
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone
from tests.files.test_load_weights import assert_backbone, network
from tests.models.algorithms.toy import build_moco
from tests.toy_runner import REPOSITORY

TOOL = str(REPOSITORY / 'tools/converters/trust.py')


def convert(old: Path, new: Path) -> Any:
    command = [sys.executable, TOOL, str(old), str(new)]
    return subprocess.run(command, text=True, capture_output=True)


def arrays() -> dict[str, np.ndarray]:
    return {
        to_detectron2(name): value.numpy()
        for name, value in network().state_dict().items()
        if not name.endswith('num_batches_tracked')
    }


def detectron2(path: Path) -> None:
    content = dict(model=arrays(), __author__='MOCO', matching_heuristics=True)
    path.write_bytes(pickle.dumps(content))


def archive(path: Path) -> None:
    np.savez(path.open('wb'), **arrays())


def archive_of_an_object(path: Path) -> None:
    np.savez(path.open('wb'), model=np.array(arrays(), dtype=object))


def big_endian(path: Path) -> None:
    found = {n: a.astype(a.dtype.newbyteorder('>')) for n, a in arrays().items()}
    path.write_bytes(pickle.dumps(found, protocol=2))


State = collections.namedtuple('State', ['online', 'step'])


def of_a_program_that_is_not_here(path: Path) -> None:
    """As JAX programs write their state: a named tuple of a module of theirs."""
    State.__module__, kept = 'no_such_program.state', State.__module__
    module = type(sys)('no_such_program.state')
    module.State = State  # type: ignore[attr-defined]
    sys.modules['no_such_program'], sys.modules['no_such_program.state'] = module, module
    try:
        path.write_bytes(pickle.dumps(dict(state=State(arrays(), 7))))
    finally:
        del sys.modules['no_such_program'], sys.modules['no_such_program.state']
        State.__module__ = kept


OTHERS = {
    'a.pkl': detectron2,
    'a.npz': archive,
    'b.npz': archive_of_an_object,
    'b.pkl': big_endian,
    'c.pkl': of_a_program_that_is_not_here,
}


@pytest.mark.parametrize('name', OTHERS)
def test_the_refusal_is_true(tmp_path: Path, name: str) -> None:
    """It recommends the converter, the converter works, and what it writes is loaded."""
    old, new = tmp_path / name, tmp_path / 'new.pth'
    OTHERS[name](old)
    with pytest.raises(
        ValueError, match=rf'convert it: python tools/converters/trust\.py .*{name}'
    ):
        read_checkpoint(old)
    result = convert(old, new)
    assert result.returncode == 0, result.stderr
    if name == 'c.pkl':
        left = 'checkpoint.state (no_such_program.state.State, not installed here; its parts'
        assert left in result.stdout
        content = read_checkpoint(new)
        assert content['state']['parts'][1] == 7
        torch.save(content['state']['parts'][0], new)
    model = build_moco()
    load_backbone(model, new)
    assert_backbone(model.backbone, network())


def test_what_leads_back_to_itself_is_left_out(tmp_path: Path) -> None:
    circle: dict[str, Any] = dict(model={'w': torch.ones(2)})
    circle['again'] = circle
    (tmp_path / 'old.pkl').write_bytes(pickle.dumps(circle))
    result = convert(tmp_path / 'old.pkl', tmp_path / 'new.pth')
    assert 'checkpoint.again (leads back to itself)' in result.stdout, result.stderr
    assert read_checkpoint(tmp_path / 'new.pth')['again'] is None


@pytest.mark.parametrize(
    ('name', 'content', 'said'),
    [
        ('page.pth', b'<!DOCTYPE html><html>404</html>', 'page of the web'),
        ('pointer.pth', b'version https://git-lfs.github.com/spec/v1\n', 'git lfs pull'),
        ('index.json', b'{"weight_map": {}}', 'is text'),
        ('keras.h5', b'\x89HDF\r\n\x1a\n' + bytes(64), 'HDF5'),
        ('model.onnx', b'\x08\x07\x12\x07pytorch', 'nor a pickle'),
        ('empty.pth', b'', 'is empty'),
        ('a.pth.gz', b'\x1f\x8b' + bytes(64), 'compressed with gzip; unpack it'),
    ],
)
def test_what_is_no_pickle_is_not_to_be_trusted(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        ValueError, match=f'{name} cannot be read as a checkpoint: .*{said}'
    ) as error:
        read_checkpoint(tmp_path / name)
    assert 'trust.py' not in str(error.value)


def test_programs_and_archives(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / 'script.pt'))
    with pytest.raises(ValueError, match=r'is a program of TorchScript; save the state_dict'):
        read_checkpoint(tmp_path / 'script.pt')
    np.save(tmp_path / 'one.npy', np.ones(3))
    with pytest.raises(ValueError, match='a single NumPy array'):
        read_checkpoint(tmp_path / 'one.npy')
