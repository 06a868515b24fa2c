"""The programs of ``tools/`` as the command ``mochi-mm`` names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mochi_mm.launch.listing.list_tools import list_tools
from mochi_mm.registry import nearest

_PACKAGE = Path(__file__).resolve().parents[2]
# An installed wheel holds tools/ inside the package, a clone beside it.
_PLACES = (_PACKAGE / '.mim', _PACKAGE.parent)


@dataclass(frozen=True)
class ToolFile:
    """One program.

    Attributes:
        name: Name on the command line, with hyphens.
        group: Folder below ``tools/``; empty for one that lies in ``tools/`` itself.
        path: Path of the file.
        arguments: What its docstring shows behind its name, such as ``('CONFIG', 'CHECKPOINT')``.
        summary: What it does, one line.
    """

    name: str
    group: str
    path: Path
    arguments: tuple[str, ...]
    summary: str


def tool_root() -> Path:
    """Return the folder that holds ``tools/``, in a clone or an installed wheel.

    Raises:
        FileNotFoundError: The package came without them.
    """
    for place in _PLACES:
        if (place / 'tools/train.py').is_file():
            return place
    raise FileNotFoundError(
        f'no tools/ in {" or ".join(map(str, _PLACES))}; expected those of the project. Install a '
        'wheel (make wheel) or work in a clone.'
    )


def tool_files(root: Path | None = None) -> list[ToolFile]:
    """Return all programs: those of ``tools/`` itself first, then folder by folder.

    Args:
        root: Folder that holds ``tools/``; None for :func:`tool_root`.
    """
    root = root or tool_root()
    found = []
    for _, command, summary in list_tools(root).rows:
        words = str(command).strip('`').removeprefix('python ').split()
        path = root / words[0]
        group = path.parent.relative_to(root / 'tools').as_posix()
        name = path.stem.replace('_', '-')
        group = '' if group == '.' else group
        found.append(ToolFile(name, group, path, tuple(words[1:]), str(summary)))
    return sorted(found, key=lambda tool: (tool.group, tool.name))


def by_group(tools: Sequence[ToolFile]) -> Mapping[str, list[ToolFile]]:
    """Return the programs by folder, in the order they come in."""
    groups: dict[str, list[ToolFile]] = {}
    for tool in tools:
        groups.setdefault(tool.group, []).append(tool)
    return groups


def find_tool(words: Sequence[str], tools: Sequence[ToolFile]) -> tuple[ToolFile, list[str]]:
    """Return the program that the first words name, and the words behind its name.

    ``knn``, ``analysis knn`` and ``analysis/knn`` are one program, ``print_config`` and
    ``print-config`` too.

    Raises:
        KeyError: None is called so; names the nearest.
    """
    parts = words[0].removesuffix('.py').removesuffix('.sh').replace('_', '-').split('/')
    rest = list(words[1:])
    if parts[-1] in by_group(tools) and rest:
        parts, rest = [*parts, rest[0].replace('_', '-')], rest[1:]
    group, name = '/'.join(parts[:-1]), parts[-1]
    for tool in tools:
        if tool.name == name and group in ('', tool.group):
            return tool, rest
    known = [tool.name for tool in tools if group in ('', tool.group)]
    close = ', '.join(nearest(name, known)) or 'none'
    raise KeyError(
        f'no tool is called {" ".join([*parts[:-1], name])!r}. Nearest: {close}; mochi-mm --help '
        'lists them all.'
    )
