"""Settings of children and options that would change nothing: linked up, or refused by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from mochi_mm.files.shown import shown
from mochi_mm.launch.config_files import ConfigFile, former_values
from mochi_mm.launch.known_settings import OF_A_RUN, OF_TOOLS, PRETRAINED, reads_pretrained
from mochi_mm.launch.left_behind import LeftBehind
from mochi_mm.registry import nearest
from mochi_mm.utils.shared_names import COPY, found, referred


class Overrides:
    """Changes of a config's shared names by its files and by options.

    Args:
        file: The config and what it inherits from.
        settings: Values of the config, with references as they stand.
        options: New values by dotted key.
        of_tools: Names that are read beside those of a run.
    """

    def __init__(
        self,
        file: ConfigFile,
        settings: dict[str, Any],
        options: Mapping[str, Any],
        of_tools: tuple[str, ...] = OF_TOOLS,
    ) -> None:
        self.file, self.settings, self.options = file, settings, options
        self.of_tools = of_tools
        self.former = former_values(file, settings) if file.bases else {}
        used = set(referred(settings))
        self.linkable = {
            name
            for name in settings
            if name not in (*used, *OF_A_RUN, PRETRAINED) and self._was_copied(name)
        }
        self.linked = settings
        for key in options:
            if (name := key.split('.')[0]) in settings:
                self.former.setdefault(name, []).append(settings[name])

    def link(self) -> dict[str, Any]:
        """Return the settings, with a reference wherever a shared name's own key has its value.

        Copies that Python or MMEngine made follow in this way, if they stand under the same key:
        the ``data_root`` of a data set follows the config's. A config that refers to the name by
        itself is left as it is; what else stands there was meant.
        """
        linked, former = self.settings, self.former
        for name in self.settings:
            if name in self.linkable:
                values = [v for v in [linked[name], *former.get(name, [])] if v is not None]
                linked = {key: _linked(value, name, values) for key, value in linked.items()}
                former = {
                    key: [_linked(value, name, values) for value in changed]
                    for key, changed in former.items()
                }
        self.linked = linked
        return linked

    def check(self) -> None:
        """Raise on a change that nothing would read.

        Raises:
            ValueError: A name that was copied, or that is used nowhere, with what to set instead.
            KeyError: A name that is new and used nowhere.
        """
        reached = self._reached()
        copied = {name for file in self.file.all_files() for name in file.copies}
        for name, values in self.former.items():
            if name in OF_A_RUN or (name in reached and name not in copied):
                continue
            places = [p for value in values for p in _places(self.settings, name, value)]
            if name in self.linkable:
                places = [place for place in places if place.rsplit('.', 1)[-1] != name]
            if places and (name in copied or name not in reached):
                raise ValueError(self._stale(name, sorted(set(places))))
        self._check_made()
        for file in self.file.all_files():
            for name in sorted(file.sets):
                leaf = file is self.file and bool(file.bases)
                used = name in reached or name in copied or name in OF_TOOLS
                unread = name in self.settings and not used
                if unread and (leaf or self._is_slip(name, file)):
                    raise self._unread(name, f'{file.path} sets {name}')
        for key in self.options:
            name = key.split('.')[0]
            known = name in self.settings or name == PRETRAINED
            if known and not (name in reached or self._is_read_by_itself(name)):
                raise self._unread(name, f'--cfg-options {key}')

    def _check_made(self) -> None:
        """Raise on a setting that a file made from a name before that was changed."""
        shared = set(referred(self.settings))
        behind = LeftBehind(
            self.file,
            self.settings,
            self.linked,
            self.options,
            lambda name: name in shared or self._is_read_by_itself(name),
        )
        for name in self.former:
            left = None if name in OF_A_RUN else behind.of(name)
            if left is None:
                continue
            (file, use), place = left, '.'.join(left[1].place)
            value = found(self.settings, left[1].place)[1]
            made = f'{place}, which stays {shown(value)}' if place else 'a part of the config'
            also = 'as well' if name in self._reached() else 'instead'
            instead = f', or write {name!r} as a reference there, {f"${name}"!r}'
            raise ValueError(
                f'{self._source(name)}: {file.path}, line {use.line}, had made {made}, from the '
                f'value before. Expected both to change: set {place or "that part"} {also}'
                f'{instead if use.whole else ""} (docs/configs.md).'
            )

    def _was_copied(self, name: str) -> bool:
        """Return whether a file copied ``name``, or is one without names, as runs leave them."""
        files = list(self.file.all_files())
        flat = [f for f in files if not f.bases and not f.copies & f.sets]
        return any(name in f.copies for f in files) or any(name in f.sets for f in flat)

    def _is_read_by_itself(self, name: str) -> bool:
        if name == PRETRAINED:
            return reads_pretrained(self.settings)
        return name in OF_A_RUN or name in self.of_tools

    def _is_slip(self, name: str, file: ConfigFile) -> bool:
        """Return whether a name that nothing reads looks like one that something reads."""
        others = {name for base in file.bases for below in base.all_files() for name in below.sets}
        likely = {*OF_A_RUN, *self.of_tools, *others}
        return name not in others and bool(difflib.get_close_matches(name, likely, 1, 0.92))

    def _reached(self) -> set[str]:
        """Return the names that are read, by themselves or by what refers to them."""
        todo = [name for name in self.linked if self._is_read_by_itself(name)]
        reached: set[str] = set()
        values = {**self.linked, **self.options}
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                parts = [v for key, v in values.items() if key.split('.')[0] == name]
                todo += list(referred(parts))
        return reached

    def _source(self, name: str) -> str:
        source = next((f'--cfg-options {k}' for k in self.options if k.split('.')[0] == name), '')
        if not source:
            files = [str(f.path) for f in self.file.all_files() if name in f.sets and f.bases]
            source = f'{files[0] if files else self.file.path} sets {name}'
        return source

    def _stale(self, name: str, places: list[str]) -> str:
        return (
            f'{self._source(name)}: this changes nothing, because {", ".join(places[:4])} '
            f'{"is" if len(places) == 1 else "are"} a copy of the former value. Set '
            f'{places[0]} instead, or write {name!r} as a reference, '
            f"'${name}', where the copy was made (docs/configs.md)."
        )

    def _unread(self, name: str, source: str) -> Exception:
        if name == PRETRAINED:
            return ValueError(
                f'{source}: nothing in this config reads it, it has no PretrainedHook. Expected a '
                'config that starts from weights, such as those of configs/benchmarks/linear; '
                'whole models are loaded with load_from=CHECKPOINT.'
            )
        known = [n for n in (*OF_A_RUN, *self.settings) if n != name]
        close = nearest(name, known)
        return KeyError(
            f'{source}: nothing in this config reads {name!r}. Nearest: '
            f'{", ".join(close) or "none"}. A name of your own takes effect where a setting refers '
            f"to it, as '${name}' (docs/configs.md)."
        )


def _linked(node: Any, name: str, values: list[Any]) -> Any:
    if isinstance(node, Mapping):
        return {
            key: f'${name}'
            if key == name and any(_same(child, value) for value in values)
            else _linked(child, name, values)
            for key, child in node.items()
        }
    if isinstance(node, (list, tuple)):
        return type(node)(_linked(child, name, values) for child in node)
    return node


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _places(settings: Mapping[str, Any], name: str, value: Any) -> Iterator[str]:
    """Yield places in ``settings``, not under ``name``, of lists and dicts equal to ``value``."""
    if isinstance(value, (dict, list, tuple)) and value and COPY not in value:
        for key, child in settings.items():
            if key != name and key in OF_A_RUN:
                yield from _equal(child, value, key)


def _equal(node: Any, value: Any, where: str) -> Iterator[str]:
    if _same(node, value):
        yield where
    elif isinstance(node, Mapping):
        for key, child in node.items():
            yield from _equal(child, value, f'{where}.{key}')
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _equal(child, value, f'{where}.{i}')
