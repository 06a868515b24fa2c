"""A folder that becomes a pack all at once, and is worked on under another name before."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mochi_mm.datasets.packs.pack_record import FILE
from mochi_mm.files.atomic_file import sweep, write_atomically
from mochi_mm.files.json_text import MAX_RECORD, read_json_file
from mochi_mm.files.run_lock import FILE as LOCK
from mochi_mm.files.run_lock import RunLock
from mochi_mm.files.shown import shown_path

SUFFIX = '.unfinished'
_PLAN, _PACK, _PARTS = 'plan.json', 'pack', 'parts'
_PACKING = (
    '{folder} is where another process packs ({who}); two would write the same files. Expected '
    'that one ended first, or another OUT.'
)


class PackFolder:
    """Give a place to write a pack in, and move it to its name when it is whole.

    Everything is written below ``OUT.unfinished``: the pack in ``pack``, notes on finished shards
    in ``parts``, and in ``plan.json`` what is packed how, so that a later start goes on with the
    same and refuses to go on with another. A lock keeps a second process out.

    Args:
        out: Name of the pack; nothing may be there but an empty folder.
        plan: What decides every byte of the pack, as plain data.

    Attributes:
        pack: Where its files are written.
        parts: Where notes are kept until it is whole.

    Raises:
        ValueError: There is something at ``out``; when opened: another process packs there, or
            something else was begun.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any]) -> None:
        self.out = Path(os.path.abspath(out.expanduser()))
        self.work = self.out.with_name(self.out.name + SUFFIX)
        self.pack, self.parts = self.work / _PACK, self.work / _PARTS
        self.plan = dict(plan)

    def is_whole(self) -> bool:
        """Return whether this very pack has its name already, and only the notes are left.

        Raises:
            ValueError: Something else is there.
        """
        if not os.path.lexists(self.out):
            return False
        if self.out.is_dir() and not self.out.is_symlink() and not any(self.out.iterdir()):
            return False
        if (self.out / FILE).is_file() and not self.pack.exists() and self._begun() == self.plan:
            return True
        what = 'holds a pack already' if (self.out / FILE).is_file() else 'exists already'
        raise ValueError(
            f'{shown_path(self.out)} {what}; expected a new folder for OUT. A pack is looked over '
            'with --check; delete it yourself to make it anew.'
        )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Work in the folder, alone; what was begun there is kept, files of a kill are deleted."""
        self._check_foreign()
        with RunLock(self.work, words=_PACKING):
            begun = self._begun()
            if begun is not None and begun != self.plan:
                raise ValueError(
                    f'{shown_path(self.work)} holds the beginning of another pack '
                    f'({_difference(begun, self.plan)}). Delete it, or take another OUT; or give '
                    'the same folder and options as before, which goes on.'
                )
            for folder in (self.pack, self.parts):
                folder.mkdir(exist_ok=True)
                sweep(folder)
            sweep(self.work)
            if begun is None:
                text = json.dumps(self.plan, indent=1).encode()
                write_atomically(self.work / _PLAN, lambda file: file.write(text))
            yield

    def finish(self) -> None:
        """Give the pack its name, while the folder is open."""
        os.rename(self.pack, self.out)

    def clear(self) -> None:
        """Remove the notes of a pack that is whole."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _begun(self) -> Any:
        try:
            return read_json_file(self.work / _PLAN, MAX_RECORD, file_names=True)
        except FileNotFoundError:
            return None

    def _check_foreign(self) -> None:
        if not os.path.lexists(self.work):
            return
        ours = {_PLAN, _PACK, _PARTS, LOCK}
        held = {path.name for path in self.work.iterdir()} if self.work.is_dir() else {'a file'}
        strange = sorted(name for name in held - ours if not name.endswith('.partial'))
        if strange:
            raise ValueError(
                f'{shown_path(self.work)} is in the way: it holds {strange[0]!a}, which no packing '
                'wrote. Move it, or take another OUT.'
            )


def _difference(begun: Any, plan: Mapping[str, Any]) -> str:
    """Say which part of a plan differs."""
    if not isinstance(begun, dict):
        return 'its plan cannot be read'
    names = [key for key in plan if begun.get(key) != plan[key]]
    if not names:
        return 'its plan says more'
    old, new = begun.get(names[0]), plan[names[0]]
    if names[0] == 'source' or len(str(old)) > 120:
        return f'{names[0]} has changed since'
    return f'{names[0]}: {old}, now {new}'
