"""Writing the page of the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.runs.run import read_runs
from mochi_mm.visualization.report.render import render


def write_report(work_dirs: Sequence[str | Path], out: str | Path) -> Path:
    """Write one HTML page about several runs; it needs no other file and no network.

    Args:
        work_dirs: Work dirs of training runs.
        out: The page; replaced in one step when all of it is there.

    Returns:
        ``out``.

    Raises:
        FileNotFoundError: A work dir that does not exist or has no logs.
        ValueError: Logs, configs or analyses that cannot be read; a work dir named twice; a name
            of the page that does not end in ``.html``.
    """
    out = Path(out)
    if out.suffix != '.html':
        raise ValueError(f'out is {out}; expected the name of a page, ending in .html.')
    page = render(read_runs(work_dirs))  # in analyses and logs there may be any text
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, lambda file: file.write(page.encode(errors='backslashreplace')))
    return out
