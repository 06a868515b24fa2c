"""Lists of class folders: given by hand, read from a file, or shipped with the package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mochi_mm.files.text_file import read_text

LISTS = Path(__file__).parent / 'lists'


def shipped_lists() -> list[str]:
    """Return the names of the class lists that come with the package."""
    return sorted(path.stem for path in LISTS.glob('*.txt'))


def read_class_list(classes: str | Path | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the class folders, sorted.

    Args:
        classes: Names, or the name of a shipped list (``'imagenet100'``), or the path of a text
            file with one folder name per line (empty lines are skipped).

    Raises:
        FileNotFoundError: Neither a file nor a shipped list.
        ValueError: A file without names, or a name that appears twice.
    """
    if isinstance(classes, (str, Path)):
        names = _lines(str(classes))
        source = f'class list {str(classes)!r}'
        if not names:
            raise ValueError(f'{source} has no names; expected one folder name a line')
    else:
        names, source = [str(name) for name in classes], 'classes'
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f'{source} names some folders more than once: {", ".join(repeated[:5])}')
    return tuple(sorted(names))


def _lines(name: str) -> list[str]:
    path = LISTS / f'{name}.txt' if name in shipped_lists() else Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'no class list {name!r}: expected the path of a text file with one folder name a '
            f'line, or a shipped list ({", ".join(shipped_lists())})'
        )
    lines = read_text(path).splitlines()
    return [line.strip() for line in lines if line.strip()]
