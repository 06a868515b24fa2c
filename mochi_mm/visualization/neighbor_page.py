"""A page of images and their nearest neighbors, one file that needs nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment
from PIL import Image, ImageOps

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.shown import shown_path

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 0 auto; max-width: 1240px; padding: 14px; }
h1 { font-size: 20px; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 4px 0 12px; overflow-wrap: anywhere; }
section { border-top: 1px solid #8886; padding: 10px 0; display: grid; gap: 8px;
  grid-template-columns: repeat(auto-fill, minmax({{ size }}px, 1fr)); }
figure { margin: 0; min-width: 0; }
img { width: 100%; max-width: {{ size }}px; height: auto; display: block; }
figure.query img { outline: 3px solid #0a7; }
figcaption { font-size: 11px; overflow-wrap: anywhere; }
b { font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>{{ note }}</p>
{% for row in rows %}
<section>
{% for cell in row %}
<figure{% if loop.first %} class="query"{% endif %}>
<img src="data:image/jpeg;base64,{{ cell.data }}" alt="{{ cell.path }}" loading="lazy">
<figcaption>{% if cell.cosine %}<b>{{ cell.cosine }}</b> {% endif %}{{ cell.path }}</figcaption>
</figure>
{% endfor %}
</section>
{% endfor %}
</body>
</html>
"""


def write_neighbor_page(
    path: str | Path,
    title: str,
    note: str,
    queries: Sequence[tuple[str, Callable[[], Image.Image]]],
    neighbors: Sequence[Sequence[tuple[str, float]]],
    read: Callable[[str], Image.Image],
    size: int = 120,
) -> None:
    """Write a page with a row for each query: it first, then its neighbors with their cosines.

    Args:
        path: An ``.html`` file, which is written in one step.
        title: Heading of the page.
        note: Sentence below it.
        queries: Path of each query, and a function that reads it.
        neighbors: Path and cosine of its neighbors, nearest first.
        read: Reads a neighbor by its path.
        size: Pixels of the sides of a picture.

    Raises:
        ValueError: Another ending.
    """
    if Path(path).suffix.lower() != '.html':
        raise ValueError(f'{shown_path(path)} is no page; expected a file that ends with .html.')
    rows = []
    for (name, opened), found in zip(queries, neighbors, strict=True):
        row = [dict(data=_jpeg(opened(), size), path=_text(name), cosine='')]
        for other, cosine in found:
            shown = f'{cosine:.4f}'
            row.append(dict(data=_jpeg(read(other), size), path=_text(other), cosine=shown))
        rows.append(row)
    template = Environment(autoescape=True).from_string(_PAGE)
    text = template.render(title=title, note=note, rows=rows, size=size)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(text.encode()))


def _text(name: str) -> str:
    return name.encode('utf-8', 'backslashreplace').decode()


def _jpeg(image: Image.Image, size: int) -> str:
    small = max(image.size) < size
    method = Image.Resampling.NEAREST if small else Image.Resampling.BILINEAR
    fitted = ImageOps.contain(image.convert('RGB'), (size, size), method)
    buffer = io.BytesIO()
    fitted.save(buffer, 'JPEG', quality=85)
    return base64.b64encode(buffer.getvalue()).decode()
