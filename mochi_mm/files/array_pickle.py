"""Pickles of byte arrays, strings, numbers and containers, read without running their code."""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from mochi_mm.files.shown import shown

_BYTES = ('u1', '|u1', 'uint8')


class _DType:
    """What the file says of an array's type."""

    def __init__(self, name: Any = '', *rest: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        """Leave the byte order out: bytes have none."""


class _Array:
    """What the file says of an array."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def bytes(self) -> np.ndarray:
        """Return the array.

        Raises:
            ValueError: The file describes no array of bytes.
        """
        _, shape, kind, columns_first, raw = self.state
        raw = raw.encode('latin1') if isinstance(raw, str) else raw
        if not (isinstance(kind, _DType) and kind.name in _BYTES and isinstance(raw, bytes)):
            raise ValueError('an array of another type than uint8')
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ValueError('an array with strange sizes')
        if math.prod(shape) != len(raw):
            raise ValueError(f'{len(raw)} bytes for an array of {tuple(shape)}')
        return np.frombuffer(raw, np.uint8).reshape(shape, order='F' if columns_first else 'C')


def _start_array(*parts: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str = '') -> bytes:
    return text.encode('latin1')


#: What the pickle of an array names, and what stands in for it: nothing of NumPy is called.
_STAND_INS: Mapping[tuple[str, str], Callable[..., Any] | str] = {
    ('numpy.core.multiarray', '_reconstruct'): _start_array,
    ('numpy._core.multiarray', '_reconstruct'): _start_array,
    ('numpy', 'ndarray'): 'ndarray',
    ('numpy', 'dtype'): _DType,
    ('_codecs', 'encode'): _encode,
}


class _Unpickler(pickle.Unpickler):
    """Pickle's, which knows the names of :data:`_STAND_INS` alone."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in; nothing is imported."""
        if (module, name) not in _STAND_INS:
            raise _OtherObject(f'{module}.{name}')
        return _STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refuse a reference to something outside of the file."""
        raise _OtherObject('something outside of the file')


class _OtherObject(Exception):
    """The name of what no such file needs."""


def read_array_pickle(data: bytes, where: str) -> dict[str, Any]:
    """Return the dict that a pickle holds; its arrays of uint8 as NumPy arrays.

    Names in the file choose nothing: the five that the pickle of an array consists of are played
    by stand-ins, any other ends the reading. Pickles of Python 2 are read as those of Python 3.

    Args:
        data: The pickle.
        where: Its name, for the error.

    Raises:
        ValueError: It is damaged, no dict, or asks for any other object.
    """
    try:
        content = _Unpickler(io.BytesIO(data), encoding='latin1').load()
        if not isinstance(content, dict):
            raise ValueError(f'a {type(content).__name__}')
        return {
            key: value.bytes() if isinstance(value, _Array) else value
            for key, value in content.items()
        }
    except _OtherObject as error:
        raise ValueError(
            f'{where} asks for {shown(error.args[0])}, which such a file has no use for and which '
            'could run code; nothing of it was read. Get it again from where it comes from.'
        ) from None
    except Exception as error:  # noqa: BLE001  # a damaged pickle may raise anything
        raise ValueError(
            f'{where} is no pickled dict of arrays, lists and strings ({type(error).__name__}: '
            f'{error}); it may be damaged. Get it again from where it comes from.'
        ) from None
