"""A small folder of pictures for packs, some of them no pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mochi_mm.datasets import ImageFolder
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import PackWriter
from tests.datasets.conftest import make_picture


def picture_folder(root: Path, count: int = 7) -> Path:
    """Classes a, b, c with JPEG and PNG of several sizes; the third of b is torn."""
    for number in range(count):
        name = root / 'abc'[number % 3] / f'{number}.{"png" if number % 4 == 1 else "jpg"}'
        name.parent.mkdir(parents=True, exist_ok=True)
        make_picture(number, 90 + number, 61).save(name)
    torn = root / 'b/torn.jpg'
    torn.write_bytes((root / 'a/0.jpg').read_bytes()[:900])
    return root


def packed(folder: Path, out: Path, kind: str = 'jpeg', **settings: Any) -> Path:
    """Pack a folder: sides of 48 pixels, three images a shard, one process."""
    options = PackOptions.of(kind, short_side=48 if kind in ('jpeg', 'raw') else None)
    source = settings.pop('source', None) or ImageFolder(folder)
    given = dict(options=options, shard_images=3, tell=lambda line: None) | settings
    PackWriter(source, out, **given).write()
    return out


def content(folder: Path) -> dict[str, bytes]:
    """Names and bytes of the files of a pack."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
