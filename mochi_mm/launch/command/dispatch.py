"""Start a program of ``tools/`` by its name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from mochi_mm.launch.command.completion import SHELLS, completion
from mochi_mm.launch.command.tool_file import ToolFile, by_group, find_tool, tool_files
from mochi_mm.launch.named_configs import config_files
from mochi_mm.version import __version__

_HELP = ('-h', '--help', 'help')
_HEAD = """usage: mochi-mm TOOL [arguments]
       mochi-mm TOOL --help                   what the tool takes
       mochi-mm completion {bash,zsh}         a script that completes the command in a shell
       mochi-mm --version

CONFIG is a path, or the name of a config of the project (mochi-mm list configs)."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program that ``argv`` names; it takes the place of this process.

    A clone's programs and those of an installed wheel are started alike, with this interpreter,
    so ``mochi-mm train CONFIG`` is ``python tools/train.py CONFIG``.

    Raises:
        SystemExit: After ``--help``, ``--version`` or ``completion`` (0), or where nothing is
            called so (2).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    tools = tool_files()
    groups = by_group(tools)
    if not words or words[0] in _HELP:
        print(_help(groups))
        raise SystemExit(0 if words else 2)
    if words[0] == '--version':
        print(f'mochi_mm {__version__}')
        raise SystemExit(0)
    if words[0] == 'completion':
        raise SystemExit(_print_completion(words[1:], tools))
    if words[0] in groups and (len(words) == 1 or words[1] in _HELP):
        print(_section(words[0], groups[words[0]]))
        raise SystemExit(0 if len(words) > 1 else 2)
    try:
        tool, rest = find_tool(words, tools)
    except KeyError as error:
        print(f'mochi-mm: error: {error.args[0]}', file=sys.stderr)
        raise SystemExit(2) from None
    _replace_process(tool, rest)


def _replace_process(tool: ToolFile, words: Sequence[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    if tool.path.suffix == '.py':
        os.execv(sys.executable, [sys.executable, str(tool.path), *words])
    # The scripts call python and torchrun: those of this environment, activated or not.
    folder = str(Path(sys.executable).parent)
    os.environ['PATH'] = os.pathsep.join([folder, os.environ.get('PATH', os.defpath)])
    os.execvp('bash', ['bash', str(tool.path), *words])


def _print_completion(words: Sequence[str], tools: Sequence[ToolFile]) -> int:
    if len(words) != 1 or words[0] not in SHELLS:
        given = ' '.join(words) or 'nothing'
        print(
            f'mochi-mm completion: error: {given} is no shell; expected {" or ".join(SHELLS)}',
            file=sys.stderr,
        )
        return 2
    print(completion(words[0], tools, list(config_files())), end='')
    return 0


def _help(groups: Mapping[str, list[ToolFile]]) -> str:
    return '\n\n'.join([_HEAD, *(_section(name, tools) for name, tools in groups.items())])


def _section(group: str, tools: Sequence[ToolFile]) -> str:
    """Return a heading and one line a program."""
    title = f'{group} (mochi-mm {group} TOOL, or the name alone)' if group else 'every day'
    width = max(len(tool.name) for tool in tools)
    return '\n'.join([title, *(f'  {tool.name:{width}}  {tool.summary}' for tool in tools)])
