"""What a step frees is there for the next one."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from mochi_mm.engine.freed_memory import keep_freed_memory
from tests.forked import run_forked


def _count_pages(keep: bool) -> None:
    if keep:
        assert keep_freed_memory()
    torch.zeros(16_000_000).sum()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.zeros(16_000_000).sum()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='a switch of the GNU C library')
def test_blocks_are_mapped_once() -> None:
    """Four blocks of 64 MB: 62,500 new pages of 4 kB as it is, at most one block kept."""
    as_it_is, kept = (int(run_forked(_count_pages, keep).stdout) for keep in (False, True))
    assert as_it_is > 50_000 and kept < as_it_is / 2
