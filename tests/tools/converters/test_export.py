"""The command that exports: what it prints, and that its formats are those of the package."""

from __future__ import annotations

import json
import os
import runpy
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.export import TARGETS
from tests.export.toy import checkpoint
from tests.forked import run_forked, run_program
from tests.toy_runner import REPOSITORY


@pytest.fixture
def tool() -> dict[str, Any]:
    return runpy.run_path(str(REPOSITORY / 'tools/converters/export.py'))


def test_formats_are_those_of_the_package(tool: Any) -> None:
    assert set(tool['FORMATS']) == set(TARGETS)


def test_it_says_what_was_written(tool: Any, tmp_path: Path, capsys: Any) -> None:
    checkpoint(tmp_path / 'epoch_2.pth', depth=10, width=0.125)
    tool['main']([str(tmp_path / 'epoch_2.pth'), '--to', 'backbone'])
    said = capsys.readouterr().out
    about = json.loads((tmp_path / 'epoch_2_backbone.safetensors.json').read_text())
    assert 'maximum difference 0 (features up to' in said
    assert 'licence  UNSPECIFIED' in said and 'mean [125.5, 122.5, 113.5]' in said
    assert about['equality']['max_difference'] == 0 and about['licence'] == 'unspecified'
    arguments = ['--to', 'backbone', '--overwrite', '--licence', 'CC0-1.0', '--encoder', 'key']
    tool['main']([str(tmp_path / 'epoch_2.pth'), *arguments])
    again = json.loads((tmp_path / 'epoch_2_backbone.safetensors.json').read_text())
    assert (again['licence'], again['encoder']) == ('CC0-1.0', 'key')
    assert 'licence  CC0-1.0' in capsys.readouterr().out
    assert again['sha256'] != about['sha256']


def _write_half(source: Any, path: Path, metadata: Any) -> None:
    path.write_bytes(b'half')
    os.kill(os.getpid(), signal.SIGTERM)


def _export_and_die(words: list[str]) -> None:
    TARGETS['backbone'] = replace(TARGETS['backbone'], write=_write_half)
    run_program(words)


def test_a_terminated_export_leaves_nothing(tmp_path: Path) -> None:
    checkpoint(tmp_path / 'epoch_2.pth', depth=10, width=0.125)
    words = [str(REPOSITORY / 'tools/converters/export.py'), str(tmp_path / 'epoch_2.pth')]
    done = run_forked(_export_and_die, [*words, '--to', 'backbone'])
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['epoch_2.pth']
