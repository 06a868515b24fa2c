"""The Triton kernels against the plain equations, run by Triton's interpreter without a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: Triton decides at import whether it interprets.
PROGRAM = """
import torch
from mochi_mm.models.functional.mixing import pair_mixing_cosines
from mochi_mm.models.kernels.triton_pair_mixing import TritonPairMixing
from tests.reference import random_units

for batch, hard, num, dim in ((1, 1, 1, 16), (3, 7, 33, 20), (2, 5, 64, 128), (2, 40, 31, 8)):
    query, bank = random_units(batch, dim, 1).float(), random_units(50, dim, 2).float()
    similarity, index = (query @ bank.T).topk(hard, dim=1)
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(hard, (batch, num), generator=generator)
    second = torch.randint(hard, (batch, num), generator=generator)
    weight = torch.rand(batch, num, generator=generator)
    upstream = torch.randn(batch, num, generator=generator)
    results = []
    for function in (pair_mixing_cosines, TritonPairMixing.apply):
        leaf = query.clone().requires_grad_()
        cosine = function(leaf, bank, index, similarity, first, second, weight)
        (cosine * upstream).sum().backward()
        results.append((cosine.detach(), leaf.grad))
    for plain, fused in zip(*results):
        torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-5)
        assert fused.abs().max() > 0.01
    print('equal', batch, hard, num, dim)
"""


def test_kernels_equal_the_plain_equations() -> None:
    pytest.importorskip('triton', reason='Triton is not installed')
    environment = dict(os.environ, TRITON_INTERPRET='1', PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('equal') == 4
