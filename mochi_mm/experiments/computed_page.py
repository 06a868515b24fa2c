"""Pages whose text is computed: written, or compared with what stands there."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.files.atomic_file import write_atomically


def write_or_compare(path: Path, text: str, tool: str, compare: bool) -> int:
    """Write a page, or say whether it is what would be written; return the exit status.

    Args:
        path: The page.
        text: What it should hold.
        tool: The tool that writes it, named where it differs.
        compare: Write nothing; the status is 1 where the page differs or is missing.
    """
    if compare:
        same = path.is_file() and path.read_text(encoding='utf-8') == text
        if not same:
            print(f'{path} is not up to date; run python {tool}')
        return 0 if same else 1
    write_atomically(path, lambda file: file.write(text.encode()))
    print(f'{path} written')
    return 0
