"""The benchmark of the objective runs, at a size that takes no time, and checks itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.forked import run_tool

TOOL = 'benchmarks/head.py'


def test_runs_and_writes(tmp_path: Path) -> None:
    out = tmp_path / 'new' / 'head.json'
    words = ['--batch', '4', '--memory', '4096', '--dim', '16', '--repeats', '1']
    done = run_tool(TOOL, *words, '--settings', '16,32,8', '--json', out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert set(result['measured']) == {'MoCo-v2', 'MoCHi (16, 32, 8)'}
    mochi = result['measured']['MoCHi (16, 32, 8)']
    assert max(mochi['difference'].values()) <= 1e-5
    assert {'fastest', 'median', 'peak_bytes'} == set(mochi['ours']) == set(mochi['direct'])
    assert 'beyond MoCo-v2, ours / direct' in done.stdout


@pytest.mark.parametrize(
    ('words', 'match'),
    [
        (['--settings', '64,32'], "--settings has '64,32'; expected N,s,s'"),
        (['--batch', '0'], '--batch is 0; expected at least 1'),
    ],
)
def test_wrong_options(words: list[str], match: str) -> None:
    done = run_tool(TOOL, *words)
    assert done.returncode == 2 and match in done.stderr.splitlines()[-1]
