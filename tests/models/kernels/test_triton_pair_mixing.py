"""The Triton kernels without a GPU: run by Triton's interpreter, compiled for three generations."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

# In a process of its own: Triton decides at import whether it interprets.
PROGRAM = """
import torch
from mochi_mm.models.functional.mixing import pair_mixing_cosines
from mochi_mm.models.kernels.triton_pair_mixing import TritonPairMixing
from tests.reference import random_units

# The last: rows of which each has its opposite, mixed near half and half.
SIZES = (1, 1, 1, 16), (3, 7, 33, 20), (2, 5, 64, 128), (2, 40, 31, 8), (2, 4, 90, 16)
for batch, hard, num, dim in SIZES:
    query, bank = random_units(batch, dim, 1).float(), random_units(50, dim, 2).float()
    opposite = hard == 4
    if opposite:
        bank = torch.cat([bank[:2], -bank[:2]])
    similarity, index = (query @ bank.T).topk(hard, dim=1)
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(hard, (batch, num), generator=generator)
    second = torch.randint(hard, (batch, num), generator=generator)
    weight = torch.rand(batch, num, generator=generator)
    if opposite:
        weight = 0.5 + (weight - 0.5) * 10.0 ** torch.arange(-8.0, 1).repeat(10)
    upstream = torch.randn(batch, num, generator=generator)
    results = []
    for function in (pair_mixing_cosines, TritonPairMixing.apply):
        leaf = query.clone().requires_grad_()
        cosine = function(leaf, bank, index, similarity, first, second, weight)
        (cosine * upstream).sum().backward()
        results.append((cosine.detach(), leaf.grad))
    for plain, fused in zip(*results):
        tolerance = 1e-3 if opposite else 1e-5
        torch.testing.assert_close(fused, plain, rtol=tolerance, atol=tolerance)
        assert not opposite or fused.abs().max() <= 90
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
    assert done.stdout.count('equal') == 5


#: Types of the arguments of both kernels: rows and weights float32, positions int64, sizes int32.
ROWS = ('bank', 'similarity', 'weight', 'cosine', 'left', 'right', 'grad', 'result')
POSITIONS = ('index', 'first', 'second')
SIZES = ('num_hard', 'num', 'dim')
#: What a program may hold in shared memory on any of these devices (CUDA's guide, 8.0: 163 KiB).
MOST_SHARED = 163 * 1024


@pytest.mark.parametrize('kernel', ['_forward', '_backward'])
@pytest.mark.parametrize('capability', [80, 90, 100])
def test_kernels_compile_without_a_card(
    kernel: str, capability: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To machine code, at the width of the papers' embeddings."""
    triton = pytest.importorskip('triton', reason='Triton is not installed')
    target: Any = pytest.importorskip('triton.backends.compiler').GPUTarget('cuda', capability, 32)
    kernels = pytest.importorskip('mochi_mm.models.kernels.triton_pair_mixing')
    monkeypatch.setenv('TRITON_CACHE_DIR', str(tmp_path))
    function = getattr(kernels, kernel)
    kinds = {
        **dict.fromkeys(ROWS, '*fp32'),
        **dict.fromkeys(POSITIONS, '*i64'),
        **dict.fromkeys(SIZES, 'i32'),
    }
    names = list(inspect.signature(function.fn).parameters)
    fixed = dict(MIN=kernels.MIN_NORM, BLOCK=kernels._BLOCK, DIM=128)
    source = triton.compiler.ASTSource(
        function,
        {name: kinds.get(name, 'constexpr') for name in names},
        constexprs={name: value for name, value in fixed.items() if name in names},
    )
    try:
        compiled = triton.compile(source, target=target)
    except RuntimeError as error:
        if 'ptxas' in str(error) and 'find' in str(error).lower():
            pytest.skip(f'Triton cannot compile here: {error}')
        raise
    assert f'.target sm_{capability}' in compiled.asm['ptx']
    assert len(compiled.asm['cubin']) > 1000
    assert compiled.metadata.shared <= MOST_SHARED
    assert list(tmp_path.iterdir())
