"""Files of embeddings: ``.npz`` for NumPy, ``.parquet`` for everything that reads tables."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.array_file import read_arrays
from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import parse_json
from mochi_mm.files.regular_file import check_regular
from mochi_mm.files.shown import shown_path

SUFFIXES = ('.npz', '.parquet')
_ABOUT = 'about'
#: Names and features of some consecutive images.
Block = tuple[Sequence[str], np.ndarray]


@dataclass(frozen=True)
class Embeddings:
    """Hold the embeddings of images.

    Attributes:
        paths: (N,) paths below the folder, with '/' between the parts.
        features: (N, C) float32.
        about: What they were made of and by, see
            :func:`~mochi_mm.evaluation.embeddings.embedding_plan.make_plan`.
    """

    paths: list[str]
    features: np.ndarray
    about: dict[str, Any]


def check_suffix(path: str | Path) -> str:
    """Return the ending of a file of embeddings, where what it needs is installed.

    Raises:
        ValueError: Another ending.
        ImportError: ``.parquet`` without pyarrow, with the command that brings it.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f'{shown_path(path)} ends with {suffix or "nothing"!r}; expected '
            f'{" or ".join(SUFFIXES)}.'
        )
    if suffix == '.parquet':
        pyarrow()
    return suffix


def pyarrow() -> Any:
    """Return pyarrow, with its part for Parquet.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Parquet files need pyarrow, which is not installed: pip install -e '.[parquet]' "
            '(or pip install pyarrow); or take a file that ends with .npz.'
        ) from error
    return pyarrow


def write_embeddings(
    path: Path, blocks: Iterable[Block], count: int, width: int, longest: int, about: Any
) -> None:
    """Write a file in one step, block by block: memory does not grow with the number of images.

    Args:
        path: The file.
        blocks: The embeddings in order; gone through twice for ``.npz``.
        count: Number of embeddings.
        width: Numbers of an embedding.
        longest: Characters of the longest path.
        about: What they are, as plain data.
    """
    text = json.dumps(about, sort_keys=True)
    if check_suffix(path) == '.npz':
        write_atomically(path, lambda file: _npz(file, blocks, (count, width), longest, text))
    else:
        write_atomically(path, lambda file: _parquet(file, blocks, width, text))


def read_embeddings(path: str | Path) -> Embeddings:
    """Return the embeddings of a file.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is damaged, or no such file.
        ImportError: ``.parquet`` without pyarrow.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f'no embeddings at {path}; make them with tools/embed.py.')
    check_regular(path)
    found = _read_npz(path) if check_suffix(path) == '.npz' else _read_parquet(path)
    features = found.features
    if features.ndim != 2 or features.dtype != np.float32 or len(features) != len(found.paths):
        raise _damaged(path, f'features {features.dtype} {features.shape}')
    if not len(features) or not np.isfinite(features).all():
        raise _damaged(path, 'no features, or some that are not finite')
    if not isinstance(found.about, dict):
        raise _damaged(path, f'about is a {type(found.about).__name__}, no dict')
    return found


def read_about(path: Path) -> Any:
    """Return what a file of embeddings says of itself, without its features; None of another."""
    try:
        if path.suffix.lower() == '.npz':
            with zipfile.ZipFile(path) as archive, archive.open(f'{_ABOUT}.npy') as member:
                array = np.lib.format.read_array(io.BytesIO(member.read()), allow_pickle=False)
            return parse_json(str(array), shown_path(path))
        metadata = pyarrow().parquet.read_schema(path).metadata or {}
        return parse_json(metadata[_ABOUT.encode()].decode(), shown_path(path))
    except Exception:  # noqa: BLE001  # whatever a file of another kind brings about
        return None


def _npz(
    file: Any, blocks: Iterable[Block], shape: tuple[int, int], longest: int, text: str
) -> None:
    names = np.dtype(f'<U{max(longest, 1)}')
    with zipfile.ZipFile(_Forward(file), 'w', zipfile.ZIP_STORED) as archive:
        rows = (np.ascontiguousarray(features, np.float32) for _, features in blocks)
        _member(archive, 'features', np.dtype('<f4'), shape, rows)
        paths = (np.array(list(part), names) for part, _ in blocks)
        _member(archive, 'paths', names, shape[:1], paths)
        _member(archive, _ABOUT, np.dtype(f'<U{len(text)}'), (), [np.array(text)])


def _member(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype,
    shape: tuple[int, ...],
    parts: Iterable[np.ndarray],
) -> None:
    """Write one array as NumPy would, part by part, with a time that is always the same."""
    entry = zipfile.ZipInfo(f'{name}.npy', (1980, 1, 1, 0, 0, 0))
    with archive.open(entry, 'w', force_zip64=True) as member:
        header = dict(descr=np.lib.format.dtype_to_descr(dtype), fortran_order=False, shape=shape)
        np.lib.format.write_array_header_2_0(member, header)
        for part in parts:
            member.write(part.tobytes())


class _Forward:
    """A file that is only written to: what zipfile and pyarrow then ask for."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: Any, /) -> int:
        """Write bytes, and return how many."""
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Leave the file open: whoever opened it goes on."""


def _parquet(file: Any, blocks: Iterable[Block], width: int, text: str) -> None:
    arrow = pyarrow()
    kind = arrow.list_(arrow.float32(), width)
    fields = [arrow.field('path', arrow.string()), arrow.field('feature', kind)]
    schema = arrow.schema(fields, metadata={_ABOUT: text})
    sink = arrow.PythonFile(_Forward(file), mode='w')
    with arrow.parquet.ParquetWriter(sink, schema, use_dictionary=False) as writer:
        for paths, features in blocks:
            flat = arrow.array(np.ascontiguousarray(features, np.float32).reshape(-1))
            columns = [
                arrow.array(list(paths), arrow.string()),
                arrow.FixedSizeListArray.from_arrays(flat, width),
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))


def _read_npz(path: Path) -> Embeddings:
    arrays = read_arrays(path)
    if set(arrays) != {'features', 'paths', _ABOUT} or arrays['paths'].dtype.kind != 'U':
        raise _damaged(path, f'the arrays {", ".join(map(ascii, sorted(arrays)[:5])) or "none"}')
    about = parse_json(str(arrays[_ABOUT]), shown_path(path))
    return Embeddings(arrays['paths'].tolist(), arrays['features'], about)


def _read_parquet(path: Path) -> Embeddings:
    arrow = pyarrow()
    try:
        table = arrow.parquet.read_table(path)
        about = parse_json(table.schema.metadata[_ABOUT.encode()].decode(), shown_path(path))
        column = table['feature'].combine_chunks()
        flat = np.array(column.flatten(), dtype=np.float32)  # arrow's own cannot be written to
        features = flat.reshape(len(table), -1)
        return Embeddings(table['path'].to_pylist(), features, about)
    except Exception as error:  # damage shows as any kind of error; all mean the same
        said = ' '.join(str(error).split())[:200]
        raise _damaged(path, f'{type(error).__name__}: {said}') from error


def _damaged(path: Path, found: str) -> ValueError:
    return ValueError(
        f'{shown_path(path)} is no whole file of embeddings ({found}); expected one of '
        'tools/embed.py, with paths and finite float32 features. Make it again.'
    )
