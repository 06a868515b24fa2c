"""The tool that counts messages refuses what it cannot count; the counting has its own test."""

from __future__ import annotations

import pytest

from tests.forked import run_tool


@pytest.mark.parametrize(
    ('words', 'match'),
    [
        (['mocov9'], "no method 'mocov9'; expected some of mocov2"),
        (['--ranks', '1'], '--batch and --ranks must be at least 2'),
    ],
)
def test_wrong_options(words: list[str], match: str) -> None:
    done = run_tool('benchmarks/messages.py', *words)
    assert done.returncode == 2 and match in done.stderr.splitlines()[-1]
