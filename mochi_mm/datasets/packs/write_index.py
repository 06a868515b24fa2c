"""Writing the index of a pack, its record last."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_record import FILE, SHAPES, PackRecord, Shard, Stored
from mochi_mm.datasets.path_list import to_line
from mochi_mm.files.atomic_file import write_atomically

#: Names of the images that cannot be read, as a list for ``exclude``, and why.
EXCLUDE, REASONS = 'exclude.txt', 'bad.csv'


def write_index(
    folder: Path,
    options: PackOptions,
    classes: Sequence[str],
    shards: Sequence[Shard],
    arrays: Mapping[str, np.ndarray],
    names: Sequence[str],
    bad: Mapping[int, str],
    levels: Sequence[float],
) -> PackRecord:
    """Write the arrays, the list of bad images and, last, ``pack.json``; return its record.

    Args:
        folder: The pack.
        options: How images are stored.
        classes: Names of the classes.
        shards: Its files of images.
        arrays: Of N images: ``offsets``, ``lengths``, ``labels``, ``sizes``, ``digests``; and
            ``originals``, where the pack holds images smaller than their files.
        names: Of the images.
        bad: Why images cannot be read, by number.
        levels: Difference in gray levels of those that were compared.
    """
    encoded = [os.fsencode(name) for name in names]
    text = np.frombuffer(b''.join(encoded), dtype=np.uint8)
    ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)
    whole = dict(arrays, names=text, name_ends=ends)
    files = {
        f'{name}.npy': _save(folder / f'{name}.npy', whole[name].astype(kind, copy=False))
        for name, (kind, _) in SHAPES.items()
        if name in whole
    }
    if bad:
        lines = ''.join(f'{to_line(names[row])}\n' for row in bad)
        table = io.StringIO()
        writer = csv.writer(table, lineterminator='\n')
        writer.writerow(['path', 'reason'])
        writer.writerows([to_line(names[row]), reason] for row, reason in bad.items())
        files[EXCLUDE] = _put(folder / EXCLUDE, lines)
        files[REASONS] = _put(folder / REASONS, table.getvalue())
    source = hashlib.sha256()
    for name in ('names', 'name_ends', 'digests', 'labels'):
        source.update(np.ascontiguousarray(whole[name]).data)
    gray = dict(mean=float(np.mean(levels)), largest=max(levels)) if levels else {}
    record = PackRecord(
        options,
        tuple(classes),
        len(names),
        len(bad),
        source.hexdigest(),
        dict(gray, images=len(levels)),
        tuple(shards),
        files,
    )
    _put(folder / FILE, record.to_json())
    return record


def _save(path: Path, array: np.ndarray) -> Stored:
    return Stored(
        *write_atomically(
            path, lambda file: np.lib.format.write_array(file, array, allow_pickle=False)
        )
    )


def _put(path: Path, text: str) -> Stored:
    # Reasons quote the names of files, which need be no UTF-8.
    content = text.encode('utf-8', 'backslashreplace')
    return Stored(*write_atomically(path, lambda file: file.write(content)))
