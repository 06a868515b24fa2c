"""Programs are found by the names that a user would guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.command.tool_file import by_group, find_tool, tool_files, tool_root

ROOT = Path(__file__).resolve().parents[3]
TOOLS = tool_files()


def test_every_program_is_there_once_and_no_name_is_a_folder() -> None:
    assert tool_root() == ROOT
    programs = [p for p in (ROOT / 'tools').rglob('*.*') if p.suffix in ('.py', '.sh')]
    assert sorted(tool.path for tool in TOOLS) == sorted(programs)
    names = [tool.name for tool in TOOLS]
    assert len({*names, *by_group(TOOLS), 'completion'}) == len(names) + len(by_group(TOOLS)) + 1
    assert all(tool.summary for tool in TOOLS)


@pytest.mark.parametrize(
    ('words', 'file', 'rest'),
    [
        ('train c.py --smoke', 'tools/train.py', ['c.py', '--smoke']),
        ('knn c w', 'tools/analysis/knn.py', ['c', 'w']),
        ('analysis knn c w', 'tools/analysis/knn.py', ['c', 'w']),
        ('analysis/knn', 'tools/analysis/knn.py', []),
        ('print_config c', 'tools/analysis/print_config.py', ['c']),
        ('analysis print_config', 'tools/analysis/print_config.py', []),
        ('dist-train c 8', 'tools/dist_train.sh', ['c', '8']),
    ],
)
def test_a_program_is_found_by_its_name(words: str, file: str, rest: list[str]) -> None:
    tool, left = find_tool(words.split(), TOOLS)
    assert (tool.path, left) == (ROOT / file, rest)


def test_the_arguments_are_those_of_its_docstring() -> None:
    tool, _ = find_tool(['knn'], TOOLS)
    assert (tool.group, tool.arguments) == ('analysis', ('CONFIG', 'CHECKPOINT'))


@pytest.mark.parametrize('words', ['trian', 'dataset knn', 'analysis/train'])
def test_an_unknown_name_names_the_nearest(words: str) -> None:
    with pytest.raises(KeyError, match='no tool is called .*Nearest: .*mochi-mm --help'):
        find_tool(words.split(), TOOLS)


def test_a_package_without_tools_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mochi_mm.launch.command.tool_file._PLACES', (Path('/nowhere'),))
    with pytest.raises(FileNotFoundError, match='no tools/ in /nowhere.*make wheel'):
        tool_files()
