"""A page of near-duplicates: what stays, and beside it what goes."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined
from PIL import Image

from mochi_mm.datasets.duplicates import Group
from mochi_mm.version import __version__

_SIDE = 120
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Near-duplicates</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; max-width: 70rem; }
section { display: flex; flex-wrap: wrap; gap: .8rem; padding: .8rem 0; }
section { border-top: 1px solid #ccc; }
figure { margin: 0; width: 8.5rem; overflow-wrap: anywhere; font-size: 12px; }
img { max-width: 120px; max-height: 120px; border: 3px solid #b3541e; }
.kept img { border-color: #1b7a4b; }
</style></head><body>
<h1>Near-duplicates</h1>
<p>{{ summary }}</p>
<p>Green frame: the image that stays. Orange: what the list leaves out, with the correlation of its
pixels with it.{% if shown < total %} The first {{ shown }} of {{ total }} groups.{% endif %}</p>
{% for group in groups %}<section>
{% for name, uri, text in group %}<figure{% if loop.first %} class="kept"{% endif %}>
<img src="{{ uri }}" alt=""><figcaption>{{ name }}{{ text }}</figcaption></figure>
{% endfor %}</section>
{% endfor %}<p>mochi_mm {{ version }}</p></body></html>
"""


def duplicate_page(
    dataset: Any,
    groups: Sequence[Group],
    names: Sequence[str],
    correlations: Mapping[tuple[int, int], float],
    summary: str,
    most: int = 200,
) -> str:
    """Return an HTML page that needs no other file and no network.

    Args:
        dataset: A data set with ``image(index)``.
        groups: Groups of near-duplicates, shown in this order.
        names: Name of each image; whatever stands in it is shown as text.
        correlations: Correlation of two images by their numbers, the lower one first.
        summary: A sentence on top.
        most: Groups that are shown.
    """
    shown = []
    for group in groups[:most]:
        row = [(names[group.kept], _uri(dataset.image(group.kept)), '')]
        for image in group.left_out:
            pair = (min(image, group.kept), max(image, group.kept))
            text = f', {correlations[pair]:.3f}'
            row.append((names[image], _uri(dataset.image(image)), text))
        shown.append(row)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(_PAGE).render(
        groups=shown,
        shown=len(shown),
        total=len(groups),
        summary=summary,
        version=__version__,
    )


def _uri(image: Image.Image) -> str:
    """Return a small image as it can stand in the page; smaller ones are enlarged by pixels."""
    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    method = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BILINEAR
    buffer = io.BytesIO()
    image.convert('RGB').resize(size, method).save(buffer, 'JPEG', quality=85)
    return 'data:image/jpeg;base64,' + base64.b64encode(buffer.getvalue()).decode()
