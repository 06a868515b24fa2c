"""Pickled arrays are read without calling what the pickle names."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.files.array_pickle import read_array_pickle

ARRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)
# As Python 2 wrote them: strings of bytes, and no codec.
OF_PYTHON_2 = (
    b"(dp0\nS'data'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\n"
    b"S'b'\np5\ntp6\nRp7\n(I1\n(I2\nI2\ntp8\ncnumpy\ndtype\np9\n(S'u1'\np10\nI0\nI1\ntp11\nRp12\n"
    b"(I3\nS'|'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\nS'\\x00\\x01\\xfe\\xff'\np15\ntp16\nbsS'labels'\n"
    b'p17\n(lp18\nI3\naI5\nas.'
)


class Runs:
    """What runs when a pickle of it is read."""

    def __reduce__(self) -> Any:
        return os.mkdir, ('was_run',)


@pytest.mark.parametrize('protocol', range(2, 5))
def test_arrays_strings_and_lists(protocol: int) -> None:
    content = dict(data=ARRAY, columns=np.asfortranarray(ARRAY), labels=[1, 2], name='x', none=None)
    found = read_array_pickle(pickle.dumps(content, protocol), 'f')
    assert np.array_equal(found.pop('data'), ARRAY)
    assert np.array_equal(found.pop('columns'), ARRAY)
    assert found == dict(labels=[1, 2], name='x', none=None)


def test_those_of_python_2() -> None:
    found = read_array_pickle(OF_PYTHON_2, 'f')
    assert found['data'].tolist() == [[0, 1], [254, 255]] and found['labels'] == [3, 5]


@pytest.mark.parametrize(
    'content',
    [
        pickle.dumps(dict(data=Runs())),
        pickle.dumps(dict(data=[Path('a')])),
        b"cposix\nsystem\n(S'touch was_run'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b'cbuiltins\neval\n.',
        b'Pelsewhere\n.',
    ],
)
def test_anything_else_is_not_called(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match='f asks for .*could run code; nothing of it was read'):
        read_array_pickle(content, 'f')
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'no pickle',
        pickle.dumps([1]),
        pickle.dumps(dict(data=ARRAY))[:-20],
        pickle.dumps(dict(data=ARRAY.astype(np.int64))),
        pickle.dumps(dict(data=np.array([{}], dtype=object))),
        OF_PYTHON_2.replace(b'(I2\nI2\n', b'(I2\nI3\n'),
        OF_PYTHON_2.replace(b'(I2\nI2\n', b'(I-2\nI-2\n'),
        b"(S'data'\ncnumpy\nndarray\n(tRd.",
    ],
)
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match='f is no pickled dict of arrays'):
        read_array_pickle(content, 'f')
