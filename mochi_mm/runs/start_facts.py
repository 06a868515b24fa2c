"""Facts of each start of a run: code, libraries, machine."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mochi_mm.evaluation.analysis.records import TIME
from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import MAX_RECORD, read_json_file
from mochi_mm.files.shown import shown_text
from mochi_mm.utils.versions import installed_version
from mochi_mm.version import __version__

FILE = 'start_facts.json'
_LIBRARIES = ('torch', 'torchvision', 'numpy', 'pillow', 'mmengine')
#: What must not change between the starts of a run without a word.
COMPARED = ('version', 'commit', 'changes', *_LIBRARIES)
_MOST_WORDS = 2000  # of an error
_HERE = Path(__file__).resolve()


@functools.cache
def commit() -> str:
    """Return the commit of the source tree, with '-dirty' where files differ from it.

    Unknown for an installed copy, also one that lies within the repository of somebody else.
    """
    try:
        _git('ls-files', '--error-unmatch', _HERE.name)
        words = ('describe', '--always', '--dirty', '--abbrev=12', '--exclude=*')
        return _git(*words).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


@functools.cache
def changes() -> str:
    """Return text that stands for what differs from the commit; empty where nothing does."""
    if not commit().endswith('-dirty'):
        return ''
    try:
        return hashlib.sha256(_git('diff', 'HEAD')).hexdigest()[:12]
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def _git(*words: str) -> bytes:
    return subprocess.run(['git', *words], cwd=_HERE.parent, capture_output=True, check=True).stdout


def describe_start(work_dir: str | Path | None = None) -> dict[str, Any]:
    """Return the facts of a start that is now.

    Args:
        work_dir: The starts in it are counted: the order of starts rests on no clock, which may
            be set back.
    """
    folders = [] if work_dir is None else Path(work_dir).glob(f'*/{FILE}')
    return dict(
        number=1 + max((number_of(file.parent) for file in folders), default=0),
        version=__version__,
        commit=commit(),
        changes=changes(),
        **{name: installed_version(name) or 'unknown' for name in _LIBRARIES},
        host=socket.gethostname(),
        process=os.getpid(),
        began=time.strftime(TIME),
        unix_time=time.time(),
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between two starts of a run, as ``name: before -> now``."""
    known = [n for n in COMPARED if n in before]  # an earlier version wrote down less
    return [
        f'{n}: {shown_text(before[n])} -> {shown_text(now.get(n))}'
        for n in known
        if before[n] != now.get(n)
    ]


def write_start(
    folder: str | Path,
    start: Mapping[str, Any],
    finished: bool = False,
    error: Exception | None = None,
) -> None:
    """Write the facts of a start into its log folder.

    Args:
        folder: The log folder.
        start: Facts from :func:`describe_start`.
        finished: The run has come to its end.
        error: What it died of.

    Raises:
        OSError: The file cannot be written.
    """
    ending = {} if error is None else dict(error=_words(error))
    text = json.dumps(dict(start, finished=finished, **ending), indent=1) + '\n'
    write_atomically(Path(folder) / FILE, lambda file: file.write(text.encode()))


def _words(error: Exception) -> str:
    """Return an error in one line, in which a key stands as it is spelled."""
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return f'{type(error).__name__}: {" ".join(str(text).split())}'[:_MOST_WORDS]


def read_start(folder: str | Path) -> dict[str, Any]:
    """Return the facts of a start, none where nobody wrote them or they cannot be read."""
    try:
        content = read_json_file(Path(folder) / FILE, MAX_RECORD)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def number_of(folder: str | Path) -> int:
    """Return which of the starts in a work dir this is, from 1 on; 0 where nobody counted."""
    number = read_start(folder).get('number')
    return number if type(number) is int and number > 0 else 0


def is_finished(folder: str | Path) -> bool:
    """Return whether the run of a log folder came to its end in that start; no if nobody knows."""
    return read_start(folder).get('finished') is True


def began_at(folder: str | Path) -> float:
    """Return when a start began, in seconds since 1970, whatever the time zone was.

    The name of a log folder is a local time, so where a run goes on under another time zone, or
    summer time ends, names are not in the order of the starts. They are asked where nobody wrote
    down more.
    """
    folder = Path(folder)
    known = read_start(folder).get('unix_time')
    if isinstance(known, (int, float)) and type(known) is not bool and math.isfinite(known):
        return float(known)
    named = seconds_of(folder.name)
    return folder.stat().st_mtime if named is None else named


def seconds_of(text: str) -> float | None:
    """Return the seconds since 1970 of a local time such as 20260131_235959, None for other text.

    What stands behind it (``_1`` of a second start within one second) comes a moment later.
    """
    try:
        seconds = datetime.strptime(text[:15], TIME).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    number = text[16:]
    return seconds + (min(int(number), 900) / 1000 if number.isdecimal() else 0)
