"""An analysis on the disk: numbers as JSON, arrays as .npz and pictures as PNG beside them."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.array_file import read_arrays
from mochi_mm.files.atomic_file import write_atomically

FORMAT = 1
#: How ``saved`` is written; log folders are named alike, so the two compare as text.
TIME = '%Y%m%d_%H%M%S'


def write_analysis(
    folder: str | Path,
    name: str,
    record: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    pictures: Mapping[str, bytes] | None = None,
) -> Path:
    """Write ``<name>.json``, ``<name>.npz`` and the pictures, all or none; return the first's path.

    Pictures of an earlier analysis of that name, which would show other weights, are removed.

    Args:
        folder: Is made if it is not there.
        name: Such as ``epoch_10``.
        record: Plain data. NaN and infinities become null. ``saved`` says since when the weights
            are what they are (:data:`TIME`, local).
        arrays: Float arrays by name.
        pictures: PNG files by name, written as ``<name>_<picture>.png``.

    Raises:
        OSError: They cannot be written; what was written of them is removed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(dict(format=FORMAT, **record)), indent=2, allow_nan=False) + '\n'
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict[str, Any](arrays))
    contents = {folder / f'{name}_{what}.png': png for what, png in (pictures or {}).items()}
    contents[folder / f'{name}.npz'] = buffer.getvalue()
    contents[folder / f'{name}.json'] = text.encode()  # last: it says that the others are there
    try:
        for path, content in contents.items():
            write_atomically(path, lambda file, content=content: file.write(content))  # type: ignore[misc]
    except BaseException:
        for path in contents:
            path.unlink(missing_ok=True)
        raise
    for path in folder.glob('*_*.png'):
        if path.stem.rsplit('_', 1)[0] == name and path not in contents:
            path.unlink(missing_ok=True)
    return folder / f'{name}.json'


def is_foreign(path: str | Path) -> bool:
    """Tell whether a JSON file is whole and about something else than an analysis."""
    try:
        record = json.loads(Path(path).read_text(encoding='utf-8'))
    except ValueError:
        return False  # damaged, which `read_analysis` says better
    return not isinstance(record, dict) or not {'format', 'scalars'} <= record.keys()


def read_analysis(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the record and the arrays of an analysis; null comes back as NaN.

    Args:
        path: Its JSON file.

    Raises:
        FileNotFoundError: One of the two files is not there.
        ValueError: It is no analysis, or of another format.
    """
    path = Path(path)
    data = path.with_suffix('.npz')
    for file in (path, data):
        if not file.is_file():
            raise FileNotFoundError(
                f'no {file}; an analysis is a .json and a .npz file of the same name.'
            )
    try:
        record = json.loads(path.read_text(encoding='utf-8'))
        arrays = read_arrays(data)
    except (ValueError, OSError) as error:
        raise ValueError(f'{path} cannot be read as an analysis: {error}') from error
    if not isinstance(record, dict) or record.get('format') != FORMAT:
        raise ValueError(
            f'{path} is no analysis of format {FORMAT}; write it anew with '
            'tools/analysis/analyse.py.'
        )
    scalars = record['scalars']
    record['scalars'] = {n: math.nan if v is None else v for n, v in scalars.items()}
    return record, arrays


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(child) for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
