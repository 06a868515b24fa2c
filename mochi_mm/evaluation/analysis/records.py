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
from mochi_mm.files.json_text import MAX_RECORD, read_json_file
from mochi_mm.files.regular_file import check_regular
from mochi_mm.files.shown import shown

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
            are what they are (:data:`TIME`, local), ``saved_at`` in seconds since 1970.
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
    """Return whether a JSON file is whole and about something else than an analysis."""
    try:
        record = read_json_file(path, MAX_RECORD)
    except ValueError:
        return False  # damaged, which `read_analysis` says better
    return not isinstance(record, dict) or not {'format', 'scalars'} <= record.keys()


def read_analysis(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the record and the arrays of an analysis; null comes back as NaN.

    Args:
        path: JSON file of the analysis.

    Raises:
        FileNotFoundError: One of the two files is not there.
        ValueError: The file is no analysis, or of another format.
    """
    path = Path(path)
    data = path.with_suffix('.npz')
    for file in (path, data):
        try:
            check_regular(file)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'no {file}; an analysis is a .json and a .npz file of the same name.'
            ) from error
    try:
        record = read_json_file(path, MAX_RECORD)
        arrays = read_arrays(data)
    except (ValueError, OSError) as error:
        raise ValueError(f'{path} cannot be read as an analysis: {error}') from error
    if not isinstance(record, dict) or record.get('format') != FORMAT:
        raise ValueError(
            f'{path} is no analysis of format {FORMAT}; write it anew with '
            'tools/analysis/analyze.py.'
        )
    for name in ('epoch', 'iter'):
        if type(record.get(name, 0)) is not int:
            raise ValueError(f'{path}: {name} is {shown(record[name])}; expected a whole number.')
    if type(record.get('saved_at', 0)) not in (int, float):
        raise ValueError(f'{path}: saved_at is {shown(record["saved_at"])}; expected seconds.')
    record['scalars'] = _scalars(record.get('scalars'), path)
    for name in ('settings', 'counts', 'missing'):
        if not isinstance(record.get(name, {}), dict):
            raise ValueError(f'{path}: {name} is no dict; write it anew.')
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in 'fiu' or not array.size:
            raise ValueError(
                f'{data}: {name} is an array {array.shape} of {array.dtype}; expected a row of '
                'numbers. Write it anew with tools/analysis/analyze.py.'
            )
    return record, arrays


def _scalars(found: Any, path: Path) -> dict[str, float]:
    """Return numbers by name; null is NaN."""
    if not isinstance(found, dict) or not all(
        value is None or type(value) in (int, float) for value in found.values()
    ):
        raise ValueError(
            f'{path}: scalars are no numbers by name; write it anew with tools/analysis/analyze.py.'
        )
    return {name: math.nan if value is None else value for name, value in found.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(child) for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
