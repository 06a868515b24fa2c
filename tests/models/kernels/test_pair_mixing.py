"""Which way pair mixing goes: the kernels where Triton works, else the plain equations."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from mochi_mm.models import kernels
from mochi_mm.models.functional import mixing
from mochi_mm.models.kernels.pair_mixing import triton_works


def test_where_triton_cannot_compile_the_plain_equations_are_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kernel cannot run on a CPU outside of the interpreter, as it cannot without a compiler."""
    triton_mixing = pytest.importorskip('mochi_mm.models.kernels.triton_pair_mixing')

    def fails(*arguments: torch.Tensor) -> None:
        raise RuntimeError('Failed to find C compiler')

    monkeypatch.setattr(triton_mixing.TritonPairMixing, 'apply', fails)
    triton_works.cache_clear()
    assert not triton_works(torch.device('cpu'))
    assert not triton_works(torch.device('cpu'))
    triton_works.cache_clear()
    assert capsys.readouterr().out.count('Failed to find C compiler') <= 1


def test_a_cpu_takes_the_plain_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(mixing, 'pair_mixing_cosines', lambda *args: called.append(len(args)))
    kernels.pair_mixing_cosines(*[torch.zeros(1, 1)] * 7)
    assert called == [7]


def test_without_triton_the_plain_equations_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    triton_works.cache_clear()
    assert not triton_works(torch.device('cpu'))
    triton_works.cache_clear()
