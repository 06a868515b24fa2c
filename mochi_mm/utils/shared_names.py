"""Resolution of settings that stand in one place of a config and are read in many.

A config writes ``'$data_root'`` where the value of its top-level ``data_root`` belongs, and
``dict(_copy_='query_dataloader', batch_size=7)`` where a dictionary belongs that differs in some
keys. ``'$train_cfg.max_epochs - 10'`` is what stands deeper, less ten. All are plain data, so they
survive inheritance; they are looked up last, when children and command line have said what they
want. A text that begins with ``~`` is a path, and ``~`` the home, whatever reads it.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mochi_mm.registry import nearest

COPY = '_copy_'
DELETE = '_delete_'
_REFERENCE = re.compile(r'\$([A-Za-z_]\w*(?:\.\w+)*)(?: ([+-]) (\d+))?')


def resolve(config: Config, options: Mapping[str, Any] | None = None) -> Config:
    """Return a config in which every shared name is replaced by its value.

    An option changes the setting of its name before anything that refers to it is looked up.
    A config without references, and without paths from ``~``, comes back equal.

    Args:
        config: Config as MMEngine reads it.
        options: New values by dotted key; a dictionary is merged into the one that is there.

    Raises:
        KeyError: A reference to, or an option for, something that is not there.
        ValueError: References that go round in a circle; an option for a part of a plain value.
    """
    resolver = _Resolver(config._cfg_dict.to_dict(), options or {})
    return Config(
        {name: resolver.top(name) for name in resolver.names},
        cfg_text=config.text,
        filename=config.filename,
        env_variables=config.env_variables,
    )


def referred(node: Any) -> Iterator[str]:
    """Yield the top-level names that ``node`` refers to, however deep."""
    if isinstance(node, str):
        if match := _REFERENCE.fullmatch(node):
            yield match[1].split('.')[0]
    elif isinstance(node, Mapping):
        if isinstance(node.get(COPY), str):
            yield node[COPY].removeprefix('$').split('.')[0]
        for child in node.values():
            yield from referred(child)
    elif isinstance(node, (list, tuple)):
        for child in node:
            yield from referred(child)


class _Resolver:
    """Look each top-level name up once, with its options, after whatever it refers to."""

    def __init__(self, settings: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.settings = settings
        self.options: dict[str, list[tuple[list[str], Any]]] = {}
        for key, value in options.items():
            name, *path = key.split('.')
            self.options.setdefault(name, []).append((path, value))
        self.names = [*settings, *(name for name in self.options if name not in settings)]
        self.done: dict[str, Any] = {}
        self.open: list[str] = []

    def top(self, name: str) -> Any:
        if name in self.open:
            circle = ' -> '.join([*self.open[self.open.index(name) :], name])
            raise ValueError(
                f'settings refer to each other in a circle: {circle}. Expected one of them to have '
                'a value of its own.'
            )
        if name not in self.done:
            self.open.append(name)
            value = self.value(self.settings.get(name), name)
            for path, new in self.options.get(name, []):
                value = put(value, path, self.value(new, '.'.join([name, *path])), name)
            self.open.pop()
            self.done[name] = value
        return self.done[name]

    def value(self, node: Any, where: str) -> Any:
        """Return a copy of ``node`` without references; ``where`` it stands is for errors."""
        if isinstance(node, str):
            match = _REFERENCE.fullmatch(node)
            return self.shifted(match, where) if match else os.path.expanduser(node)
        if isinstance(node, Mapping):
            own = {k: self.value(v, f'{where}.{k}') for k, v in node.items() if k != COPY}
            return self.copied(node[COPY], own, where) if COPY in node else own
        if isinstance(node, (list, tuple)):
            return type(node)(self.value(v, f'{where}[{i}]') for i, v in enumerate(node))
        return copy.deepcopy(node)

    def shifted(self, match: re.Match[str], where: str) -> Any:
        value = self.look_up(match[1], where)
        if match[2] is None:
            return value
        if not isinstance(value, int):
            raise ValueError(f'{where} is {match[0]!r}, and {match[1]} is {value!r}, no integer.')
        return value + int(match[2] + match[3])

    def copied(self, name: Any, own: dict[str, Any], where: str) -> Any:
        if not isinstance(name, str):
            raise ValueError(f'{where}.{COPY} is {name!r}; expected the name of a setting.')
        source = self.look_up(name.removeprefix('$'), where)
        if own and not isinstance(source, Mapping):
            raise ValueError(
                f'{where} is a copy of {name}, which is {type(source).__name__} {source!r}, and '
                f'cannot take {", ".join(own)}; expected a dictionary there.'
            )
        return merge(own, source, where) if own else source

    def look_up(self, dotted: str, where: str) -> Any:
        name, *path = dotted.split('.')
        if name not in self.names:
            raise KeyError(
                f'{where} refers to ${dotted}, and the config has no setting {name!r}. Nearest: '
                f'{", ".join(nearest(name, self.names)) or "none"}. A value that begins with a '
                'dollar is written {{$NAME:default}} if it means a variable of the environment.'
            )
        value = self.top(name)
        for i, key in enumerate(path):
            value = child(value, key)
            if value is _ABSENT:
                there = '.'.join([name, *path[:i]])
                raise KeyError(
                    f'{where} refers to ${dotted}, but {there} has no {key!r}. Set it, or give '
                    f'{where} a value of its own.'
                )
        return copy.deepcopy(value)


_ABSENT = object()


def child(node: Any, key: str) -> Any:
    """Return the value under ``key`` of ``node``, the index of a list, or a mark of its absence."""
    if isinstance(node, Mapping):
        return node.get(key, _ABSENT)
    if isinstance(node, (list, tuple)) and key.isdigit() and int(key) < len(node):
        return node[int(key)]
    return _ABSENT


def found(node: Any, path: Sequence[str]) -> tuple[bool, Any]:
    """Return whether ``path`` leads to something in ``node``, and to what."""
    for key in path:
        node = child(node, key)
    return node is not _ABSENT, None if node is _ABSENT else node


def put(node: Any, path: Sequence[Any], new: Any, where: str) -> Any:
    """Return ``node`` with ``new`` at ``path``; a dictionary is merged into one that is there.

    Args:
        node: Nested dictionaries and lists; not changed in place where it is a list or a tuple.
        path: Keys, and indices of lists; dictionaries that are missing are made.
        new: Value.
        where: Name of ``node``, for errors.

    Raises:
        KeyError: An index that a list does not have.
        ValueError: A key of a value that has none.
    """
    if not path:
        return merge(new, node, where) if isinstance(new, Mapping) else new
    key, *rest = path
    if node is None or isinstance(node, Mapping):
        node = dict(node or {})
        node[key] = put(node.get(key), rest, new, f'{where}.{key}')
        return node
    if isinstance(node, (list, tuple)):
        if not str(key).isdigit() or int(key) >= len(node):
            raise KeyError(
                f'{where} is a list of {len(node)} and has no item {key!r}; expected '
                f'{f"a number from 0 to {len(node) - 1}" if node else "no item, it is empty"}.'
            )
        items = list(node)
        items[int(key)] = put(items[int(key)], rest, new, f'{where}.{key}')
        return type(node)(items)
    raise ValueError(
        f'{where} is {node!r} and has no setting {key!r} of its own; expected {where}=VALUE.'
    )


def merge(new: Mapping[str, Any], old: Any, where: str) -> Any:
    """Return ``old`` with ``new`` merged in as in inheritance; ``_delete_=True`` replaces it.

    Args:
        new: Values to merge in.
        old: Dictionary, or a list whose indices ``new`` has as keys; anything else is replaced.
        where: Name of ``old``, for errors.
    """
    replaced = new.get(DELETE, False) or not isinstance(old, (Mapping, list, tuple))
    old = {} if replaced else old
    for key, value in new.items():
        if key != DELETE:
            old = put(old, [key], value, where)
    return old
