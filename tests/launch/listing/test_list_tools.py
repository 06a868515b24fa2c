"""Every program is listed with a command that runs it and what it does."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.launch.listing.list_tools import list_tools

ROOT = Path(__file__).resolve().parents[3]


def test_every_tool_has_a_command_and_a_line() -> None:
    rows = [[str(cell) for cell in row] for row in list_tools(ROOT).rows]
    paths = [p for p in (ROOT / 'tools').rglob('*.*') if p.suffix in ('.py', '.sh')]
    assert len(rows) == len(paths) > 20
    for name, command, what in rows:
        assert name in command and what, name
    commands = {row[0]: row[1] for row in rows}
    assert commands['train'] == '`python tools/train.py CONFIG`'
    assert commands['knn'] == '`python tools/analysis/knn.py CONFIG CHECKPOINT`'
    assert commands['dist_train'] == '`tools/dist_train.sh CONFIG GPUS`'
