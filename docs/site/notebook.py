"""Notebooks as Markdown: cells as they stand, outputs as they were saved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def to_markdown(path: Path) -> str:
    """Return a notebook as one page.

    Args:
        path: A notebook of format 4.
    """
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return '\n\n'.join(part for cell in cells for part in _parts(cell)) + '\n'


def code_cells(path: Path) -> list[str]:
    """Return the code of a notebook, cell by cell."""
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    return [''.join(cell['source']) for cell in cells if cell['cell_type'] == 'code']


def _parts(cell: Mapping[str, Any]) -> Iterator[str]:
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown':
        yield source
        return
    yield f'```python\n{source}\n```'
    for output in cell['outputs']:
        data = output.get('data', {})
        text = ''.join(output.get('text', data.get('text/plain', '')))
        if 'image/png' in data:
            png = ''.join(data['image/png']).replace('\n', '')
            yield f'<img alt="output of the cell above" src="data:image/png;base64,{png}">'
        elif text.strip():
            yield f'```text\n{text.rstrip()}\n```'
