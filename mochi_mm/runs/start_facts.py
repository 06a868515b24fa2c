"""Facts of each start of a run: code, libraries, machine."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.utils.versions import installed_version
from mochi_mm.version import __version__

FILE = 'start_facts.json'
#: What must not change between the starts of a run without a word.
COMPARED = ('version', 'commit', 'torch')


@functools.cache
def commit() -> str:
    """Return the commit of the source tree, with '-dirty' where files differ from it."""
    try:
        found = subprocess.run(
            ['git', 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'],
            cwd=Path(__file__).resolve().parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return found.stdout.strip()


def describe_start() -> dict[str, Any]:
    """Return the facts of a start that is now."""
    return dict(
        version=__version__,
        commit=commit(),
        torch=installed_version('torch') or 'unknown',
        host=socket.gethostname(),
        process=os.getpid(),
        began=time.strftime('%Y%m%d_%H%M%S'),
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between two starts of a run, as ``name: before -> now``."""
    return [
        f'{n}: {before.get(n)} -> {now.get(n)}' for n in COMPARED if before.get(n) != now.get(n)
    ]


def write_start(folder: str | Path, start: Mapping[str, Any], finished: bool = False) -> None:
    """Write the facts of a start into its log folder.

    Args:
        folder: The log folder.
        start: Facts from :func:`describe_start`.
        finished: The run has come to its end.

    Raises:
        OSError: The file cannot be written.
    """
    text = json.dumps(dict(start, finished=finished), indent=1) + '\n'
    write_atomically(Path(folder) / FILE, lambda file: file.write(text.encode()))


def is_finished(folder: str | Path) -> bool:
    """Return whether the run of a log folder came to its end in that start; no if nobody knows."""
    try:
        content = json.loads((Path(folder) / FILE).read_text(encoding='utf-8'))
        return isinstance(content, dict) and content.get('finished') is True
    except (OSError, ValueError, RecursionError):
        return False
