"""Kind of a file that is no checkpoint, told from its first bytes and its parts."""

from __future__ import annotations

import pickletools
import struct
import zipfile
from typing import BinaryIO

_HEAD, _PICKLE, _WORDS = 512, 2**16, 16
_DOWNLOAD = 'download the file itself'
_UNPACK = 'unpack it first'
_CONVERT = (
    'if you trust where it comes from, convert it: python tools/converters/trust.py FILE NEW.pth'
)
_SAVE = 'save the state_dict() of the module where it was made, with torch.save'

# First bytes, what the file is then, and what to do about it.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b'version https://git-lfs', 'a pointer of Git LFS', f'{_DOWNLOAD}: git lfs pull'),
    (b'/annex/', 'a pointer of git-annex', f'{_DOWNLOAD}: git annex get'),
    (b'\x93NUMPY', 'a single NumPy array', 'name its weights: an .npz archive, or torch.save'),
    (b'\x89HDF', 'HDF5, as Keras writes it', 'save its arrays by name as .npz where it was made'),
    (b'\x1f\x8b', 'compressed with gzip', _UNPACK),
    (b'BZh', 'compressed with bzip2', _UNPACK),
    (b'\xfd7zXZ', 'compressed with xz', _UNPACK),
    (b'(\xb5/\xfd', 'compressed with zstd', _UNPACK),
    (b'7z\xbc\xaf', 'an archive of 7-Zip', _UNPACK),
    (b'Rar!', 'an archive of RAR', _UNPACK),
    (b'GGUF', 'GGUF, quantized weights', 'take the weights it was made from'),
    (b'%PDF', 'a PDF', _DOWNLOAD),
    (b'\x89PNG', 'an image', _DOWNLOAD),
    (b'\xff\xd8\xff', 'an image', _DOWNLOAD),
)


def other_kind(file: BinaryIO) -> str | None:
    """Return what a file is and what to do, as a clause; None where it may be a checkpoint.

    Args:
        file: The file, open for reading; it is read from its beginning afterwards.
    """
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    for magic, what, cure in _MAGIC:
        if head.startswith(magic):
            return f'is {what}; {cure}'
    text = head.lstrip(b'\xef\xbb\xbf \t\r\n')
    if not head:
        return f'is empty; {_DOWNLOAD}'
    if text[:1] == b'<':
        return f'is a page of the web, or XML; {_DOWNLOAD}'
    if head[8:10] == b'{"' and int.from_bytes(head[:8], 'little') < 2**32:
        return 'is in the safetensors format; name it so: .safetensors'
    if text[:1] in (b'{', b'[') and _is_text(head):
        return f'is text, such as JSON; {_DOWNLOAD}, such as model.safetensors beside an index'
    if head.startswith(b'PK'):
        return _of_zip(file)
    kind = _of_tar(head)
    if kind is None and not _is_pickle(file):
        return 'is torn, or neither a file of torch nor a pickle; restore it, or download it again'
    return kind


def _is_text(head: bytes) -> bool:
    return all(byte >= 32 or byte in b'\t\r\n' for byte in head)


def _of_zip(file: BinaryIO) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return None  # torn; torch says so
    finally:
        file.seek(0)
    if names and all(name.endswith('.npy') for name in names):
        return f'is a NumPy archive; {_CONVERT}'
    if any(name.split('/')[1:] == ['constants.pkl'] for name in names):
        return f'is a program of TorchScript; {_SAVE}'
    if not any(name.split('/')[1:] == ['data.pkl'] for name in names):
        return f'is an archive of other files; {_UNPACK}, or {_SAVE}'
    return None


def _of_tar(head: bytes) -> str | None:
    """Read the name of the first part; Python's own reader can be made to turn for ever."""
    if head[257:262] != b'ustar':
        return None
    if head[:100].split(b'\0')[0] in (b'storages', b'tensors', b'pickle', b'sys_info'):
        return f'is a checkpoint of torch of before 0.2; {_CONVERT}'
    return f'is an archive of other files; {_UNPACK}'


def _is_pickle(file: BinaryIO) -> bool:
    """Return whether the first words of a file are those of a pickle; none is obeyed."""
    head = file.read(_PICKLE)  # a word may say that it is of any length
    file.seek(0)
    words: list[object] = []
    try:
        for word in pickletools.genops(head):
            words.append(word)
            if len(words) == _WORDS:
                break
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError, struct.error):
        return head.startswith(b'\x80') and len(head) == _PICKLE and len(words) > 1
    return True
