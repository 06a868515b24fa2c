"""What is written in the safetensors format is what its library reads, tensor by tensor."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mochi_mm.utils.safetensors_file import _KINDS, read_safetensors, write_safetensors


def test_every_kind_and_shape(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f'{number}.{kind}': (torch.rand(shape, generator=generator) * 100).to(dtype)
        for dtype, kind in _KINDS.items()
        for number, shape in enumerate([(), (0, 3), (1,), (7,), (3, 5, 2)])
    }
    images = torch.rand(2, 3, 4, 5, generator=generator)
    tensors['channels last'] = images.to(memory_format=torch.channels_last)
    tensors['a part "of" another, é'] = images[:, 1:, ::2].requires_grad_()
    path = tmp_path / 'all.safetensors'
    write_safetensors(path, tensors, dict(what='a "test", é'))
    for found in (load_file(path), read_safetensors(path)[0]):
        assert set(found) == set(tensors)
        for name, tensor in tensors.items():
            assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name
    assert read_safetensors(path)[1] == dict(format='pt', what='a "test", é')


def test_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'w is of torch\.complex64'):
        write_safetensors(tmp_path / 'a.safetensors', dict(w=torch.ones(2) * 1j), {})
    assert not list(tmp_path.iterdir())
