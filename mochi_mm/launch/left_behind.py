"""Settings that a file made from a name before a child or an option changed that name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mochi_mm.launch.config_files import ConfigFile
from mochi_mm.launch.config_uses import Use
from mochi_mm.utils.shared_names import found


class LeftBehind:
    """Find the settings that keep what they were made of, though its name was changed above.

    Python computes them as a file is read (``ann_file=data_root + '/a.json'``, ``[n] * 2``), so a
    child comes too late. What the child or an option sets itself is not left behind, nor what a
    reference replaces.

    Args:
        file: The config and what it inherits from.
        settings: Values of the whole config, with references as they stand.
        linked: The same, with the references that replaced copies.
        options: New values by dotted key.
        is_read: Returns whether something reads a top-level name.
    """

    def __init__(
        self,
        file: ConfigFile,
        settings: Mapping[str, Any],
        linked: Mapping[str, Any],
        options: Mapping[str, Any],
        is_read: Callable[[str], bool],
    ) -> None:
        self.file, self.settings, self.linked = file, settings, linked
        self.options = {tuple(key.split('.')): value for key, value in options.items()}
        self.is_read = is_read
        self._values: dict[str, dict[str, Any]] = {}

    def of(self, name: str) -> tuple[ConfigFile, Use] | None:
        """Return the first use of ``name`` that was left behind, with its file; None without."""
        return next(self._uses(self.file, name, False), None)

    def _uses(self, file: ConfigFile, name: str, above: bool) -> Iterator[tuple[ConfigFile, Use]]:
        """Yield the uses in ``file`` and below it; ``above``: a file that inherits it sets it."""
        uses = [use for use in file.uses if use.name == name]
        if uses and self._is_changed(file, name, above):
            yield from ((file, use) for use in uses if not self._is_free(file, use, frozenset()))
        for base in file.bases:
            yield from self._uses(base, name, above or name in file.sets)

    def _is_changed(self, file: ConfigFile, name: str, above: bool) -> bool:
        was = self._read(file).get(name)
        by_option = any(
            key[0] == name and found(self.settings, key) != (True, value)
            for key, value in self.options.items()
        )
        return by_option or (above and was != self.settings.get(name))

    def _is_free(self, file: ConfigFile, use: Use, seen: frozenset[str]) -> bool:
        """Return whether what a use makes has another value by now, follows, or is never read."""
        if not use.place:
            return False
        before, now = found(self._read(file), use.place), found(self.settings, use.place)
        if (before[0] and before != now) or self._is_option(use.place):
            return True
        if not seen and use.whole and found(self.linked, use.place) == (True, f'${use.name}'):
            return True
        target = use.place[0]
        if self.is_read(target):
            return False
        return target in seen or all(
            self._is_free(one, again, seen | {target})
            for one in self.file.all_files()
            for again in one.uses
            if again.name == target
        )

    def _is_option(self, place: tuple[str, ...]) -> bool:
        """Return whether an option sets a place, what it stands in, or a part of it."""
        return any(key[: len(place)] == place[: len(key)] for key in self.options)

    def _read(self, file: ConfigFile) -> dict[str, Any]:
        """Return the values of a file and all below it."""
        if file is self.file:
            return dict(self.settings)
        path = str(file.path)
        if path not in self._values:
            config = Config.fromfile(path, import_custom_modules=False)
            self._values[path] = config._cfg_dict.to_dict()
        return self._values[path]
