"""Checkpoints and arrays that ask for more memory than they are.

python -m pytest tests/faults/test_bombs.py
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.files.array_file import map_array, read_arrays
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.visualization.report import read_run
from tests.faults.limited import within_seconds
from tests.faults.test_hostile_files import SECONDS, work_dir  # noqa: F401


def _compressed(path: Path) -> None:
    """The same checkpoint, its numbers compressed a thousandfold."""
    torch.save(dict(state_dict={'w': torch.zeros(2**20)}), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _overlapping(path: Path) -> None:
    """Many names for the same bytes."""
    torch.save(dict(state_dict={'w': torch.zeros(2**18)}), path)
    with zipfile.ZipFile(path, 'a') as archive:
        big = max(archive.infolist(), key=lambda part: part.file_size)
        for number in range(50):
            other = zipfile.ZipInfo(f'{big.filename}_{number}')
            for name in ('CRC', 'compress_size', 'file_size', 'header_offset', 'flag_bits'):
                setattr(other, name, getattr(big, name))
            archive.filelist.append(other)
            archive.NameToInfo[other.filename] = other
        archive._didModify = True  # type: ignore[attr-defined]


def _repeated(path: Path) -> None:
    """Four bytes that stand for four terabytes."""
    torch.save(dict(state_dict={'w': torch.zeros(1).expand(2**20, 2**20)}), path)


def _sparse(path: Path) -> None:
    torch.save(dict(state_dict={'w': torch.sparse_coo_tensor(size=(2**20, 2**20))}), path)


def _meta(path: Path) -> None:
    torch.save(dict(state_dict={'w': torch.empty(2**20, 2**20, device='meta')}), path)


def _hidden(path: Path) -> None:
    """The same far below, in a list that holds itself."""
    circle: list[Any] = [torch.zeros(1).expand(2**40)]
    circle.append(circle)
    torch.save(dict(optimizer=dict(state={1: circle})), path)


def _quantized(path: Path) -> None:
    torch.save(dict(w=torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)), path)


BOMBS = {
    'compressed': _compressed,
    'overlapping': _overlapping,
    'repeated': _repeated,
    'sparse': _sparse,
    'without numbers': _meta,
    'hidden': _hidden,
    'quantized': _quantized,
}


@pytest.mark.parametrize('name', BOMBS)
def test_checkpoints_that_ask_for_more_than_they_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / 'epoch_9.pth'
    BOMBS[name](path)
    with within_seconds(SECONDS), pytest.raises(ValueError, match=r'epoch_9\.pth'):
        read_checkpoint(path)
    with pytest.raises(ValueError, match='none is whole'):
        newest_valid(tmp_path)


def test_shared_tensors_are_no_bomb(tmp_path: Path) -> None:
    """Tied weights, views of one memory, and the few positions that some models repeat."""
    memory = torch.arange(100.0)
    content = dict(a=memory, b=memory, c=memory[10:20].view(2, 5).t(), d=torch.ones(1).expand(9))
    torch.save(content, tmp_path / 'a.pth')
    found = read_checkpoint(tmp_path / 'a.pth')
    assert all(torch.equal(found[name], tensor) for name, tensor in content.items())


def test_arrays_that_ask_for_more_than_they_are(work_dir: Path) -> None:  # noqa: F811
    path = work_dir / 'analysis/epoch_1.npz'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, dict(descr='<f8', fortran_order=False, shape=(2**26,))
        )
        with archive.open('probabilities.npy', 'w', force_zip64=True) as part:
            part.write(header.getvalue())
            for _ in range(512):
                part.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with within_seconds(SECONDS), pytest.raises(ValueError, match=r'epoch_1\.npz .*unpack to'):
        read_run(work_dir)


def test_an_array_that_says_it_is_larger(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, dict(descr='<f8', fortran_order=False, shape=(2**50,))
    )
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('x.npy', header.getvalue())
    with pytest.raises(ValueError, match=r'a\.npz cannot be read as arrays'):
        read_arrays(tmp_path / 'a.npz')
    (tmp_path / 'a.npy').write_bytes(header.getvalue())
    with pytest.raises(ValueError, match=r'a\.npy cannot be read as arrays'):
        map_array(tmp_path / 'a.npy')
