"""The files that a config inherits from, and which names each of them sets and copies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.launch.config_uses import Use, uses_in

_BASE_NAME = re.compile(r'\{\{\s*_base_\.(\w+)')


@dataclass(frozen=True)
class ConfigFile:
    """One file of a chain of configs.

    Attributes:
        path: Path of the file.
        sets: Names that it assigns at its top level.
        copies: Names whose value stands in another one since the file was read: Python names that
            are used, and ``{{_base_.NAME}}``.
        bases: Files that it inherits from.
        uses: Uses of names in its expressions.
    """

    path: Path
    sets: frozenset[str]
    copies: frozenset[str]
    bases: tuple[ConfigFile, ...]
    uses: tuple[Use, ...] = ()

    def all_files(self) -> Iterator[ConfigFile]:
        """Yield this file and all that it inherits from."""
        yield self
        for base in self.bases:
            yield from base.all_files()


def read_files(path: str | Path, below: tuple[Path, ...] = ()) -> ConfigFile:
    """Return the file at ``path`` with all that it inherits from; nothing is executed.

    Args:
        path: A config.
        below: The files that inherit from it, the nearest last.

    Raises:
        FileNotFoundError: A base that is not there.
        SyntaxError: A file that is no Python, with its name and line.
        ValueError: A file that inherits from itself, or is in MMEngine's pure-Python style.
    """
    path = Path(path)
    if path.resolve() in below:
        raise ValueError(f'{path} inherits from itself; expected a base that does not.')
    if path.suffix != '.py':  # MMEngine reads it as data
        return ConfigFile(path, frozenset(), frozenset(), ())
    try:
        text = path.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is no text in UTF-8 ({error}); expected a config.') from None
    tree = _parsed(path, text)
    if Config._is_lazy_import(str(path)):
        raise ValueError(
            f"{path} is written in MMEngine's pure-Python style (it imports, or uses read_base()), "
            'which export, --smoke and the checks of this project cannot read. Expected a text '
            "config: _base_ = ['./base.py'], components named by strings, type='MoCo', and modules "
            'of your own in custom_imports.'
        )
    sets, copies = set(), set(_BASE_NAME.findall(text))
    for target in (target for node in tree.body for target in _targets(node)):
        sets |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            copies.add(part.id)
    bases = [
        read_files(_base_path(base, path), (*below, path.resolve()))
        for base in Config._get_base_files(str(path))
    ]
    uses = tuple(uses_in(tree))
    copies |= {use.name for use in uses}
    return ConfigFile(path, frozenset(sets - {'_base_'}), frozenset(copies), tuple(bases), uses)


def _parsed(path: Path, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line = (error.text or '').strip()
        raise SyntaxError(
            f'{path}, line {error.lineno}: {error.msg}{f": {line}" if line else ""}. Expected a '
            'config in Python.'
        ) from None
    except ValueError as error:  # a null byte
        raise ValueError(f'{path}: {error}; expected a config in Python.') from None


def _base_path(base: str, path: Path) -> str:
    found = str(Config._get_cfg_path(base, str(path))[0])
    if not Path(found).is_file():
        raise FileNotFoundError(
            f'{path} inherits from {base!r}, and there is no {found}; expected a path from the '
            'folder of the file that names it.'
        )
    return found


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return [node.target]
    return []


def former_values(file: ConfigFile, final: dict[str, Any]) -> dict[str, list[Any]]:
    """Return, by name, what the files below gave to a name that another file changed.

    Args:
        file: The config.
        final: Settings of the whole config.
    """
    former: dict[str, list[Any]] = {}
    for one in file.all_files():
        for base in one.bases:
            names = one.sets & set().union(*(below.sets for below in base.all_files()))
            settings = Config.fromfile(str(base.path), import_custom_modules=False)._cfg_dict
            for name in sorted(names):
                value = settings.to_dict().get(name)
                if name in settings and value != final.get(name):
                    former.setdefault(name, []).append(value)
    return former
