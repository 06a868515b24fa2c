"""The files within a plain tar, found without unpacking it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mochi_mm.files.regular_file import open_regular
from mochi_mm.files.shown import shown, shown_path

_BLOCK = 512
_FILE, _LINK_KINDS, _FOLDER = (b'0', b'\0', b'7'), (b'1', b'2'), b'5'
_LONG_NAME, _EXTENDED, _COMMON = b'L', b'x', b'g'
_MAX_NAME = 2**16


@dataclass(frozen=True)
class TarMember:
    """One file within a tar: its name, and where its bytes lie in it."""

    name: str
    offset: int
    size: int


def tar_members(path: str | Path) -> Iterator[TarMember]:
    """Yield the files of a tar in their order; folders are passed over.

    Every header is checked by its sum. Formats: ustar, GNU's long names, and the paths and sizes of
    POSIX's extended headers, which is what GNU tar and Python write.

    Raises:
        ValueError: It is no tar, compressed, torn, or holds a link or a sparse file; names it.
    """
    with open_regular(path) as file:
        end = os.fstat(file.fileno()).st_size
        place, long_name = 0, ''
        said: dict[str, str] = {}
        while True:
            header = _header(file, place, end, path)
            if header is None:
                return
            kind, size = header[156:157], int(said.get('size', _number(header, path)))
            start = place + _BLOCK
            place = start + -(-size // _BLOCK) * _BLOCK
            if size < 0 or start + size > end:
                raise ValueError(_refusal(path, f'ends within the file at {start - _BLOCK}'))
            if kind in (_LONG_NAME, _EXTENDED):
                text = _content(file, start, size, path)
                if kind == _LONG_NAME:
                    long_name = os.fsdecode(text.rstrip(b'\0'))
                else:
                    said = _records(text, path)
                continue
            name = said.get('path') or long_name or _name(header)
            if kind in _FILE:
                yield TarMember(name, start, size)
            elif kind not in (_FOLDER, _COMMON):
                what = 'a link' if kind in _LINK_KINDS else f'an entry of kind {kind!r}'
                raise ValueError(_refusal(path, f'holds {what}, {shown(name)}'))
            long_name, said = '', {}


def _header(file: BinaryIO, place: int, end: int, path: str | Path) -> bytes | None:
    """Return the header at ``place``, None where the tar ends as it should."""
    file.seek(place)
    header = file.read(_BLOCK)
    if len(header) == _BLOCK and not any(header):
        return None
    if len(header) < _BLOCK:
        raise ValueError(_refusal(path, f'ends at {end} bytes without the mark of an end'))
    blank = header[:148] + b' ' * 8 + header[156:]
    try:
        told = int(header[148:156].strip(b' \0'), 8)
    except ValueError:
        told = -1
    if told != sum(blank):
        raise ValueError(_refusal(path, f'has no header at {place}'))
    return header


def _number(header: bytes, path: str | Path) -> int:
    """Return the size of a file: octal digits, or 95 bits behind a mark."""
    text = header[124:136]
    if text[0] == 0x80:
        return int.from_bytes(text[1:], 'big')
    try:
        return int(text.strip(b' \0') or b'0', 8)
    except ValueError as error:
        raise ValueError(_refusal(path, f'has a file of {shown(text)} bytes')) from error


def _name(header: bytes) -> str:
    name = header[:100].split(b'\0')[0]
    prefix = header[345:500].split(b'\0')[0] if header[257:263] == b'ustar\0' else b''
    return os.fsdecode(prefix + b'/' + name if prefix else name)


def _content(file: BinaryIO, start: int, size: int, path: str | Path) -> bytes:
    if size > _MAX_NAME:
        raise ValueError(_refusal(path, f'has a name of {size} bytes'))
    file.seek(start)
    return file.read(size)


def _records(text: bytes, path: str | Path) -> dict[str, str]:
    """Return what an extended header says: records of 'length key=value' and a line break."""
    said: dict[str, str] = {}
    while text.strip(b'\0'):
        length, _, rest = text.partition(b' ')
        size = int(length) if length.isdigit() and len(length) < 8 else 0
        record = text[:size]
        if size <= len(length) + 1 or not record.endswith(b'\n') or b'=' not in rest:
            raise ValueError(_refusal(path, 'has a broken extended header'))
        key, _, value = record[len(length) + 1 : -1].partition(b'=')
        said[os.fsdecode(key)] = os.fsdecode(value)
        text = text[size:]
    if any(key.startswith('GNU.sparse') for key in said):
        raise ValueError(_refusal(path, 'holds a sparse file'))
    if not said.get('size', '0').isdigit():
        raise ValueError(_refusal(path, f'has a file of {shown(said["size"])} bytes'))
    return said


def _refusal(path: str | Path, what: str) -> str:
    return (
        f'{shown_path(path)} {what}; expected a whole, uncompressed tar of plain files, as '
        'webdataset and GNU tar write it. Restore it, or write it anew.'
    )
