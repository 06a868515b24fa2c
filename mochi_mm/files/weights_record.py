"""Record of a weight file, checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mochi_mm.files.shown import shown

#: Where a checkpoint keeps it, under ``meta``.
KEY = 'mochi_mm'
#: Longest text that a file may say of itself in one place.
MAX_TEXT = 500
_TEXTS = ('channel_order', 'algorithm', 'head')
_CHANNELS = 512


def record_of(content: Mapping[str, Any], source: str | Path) -> dict[str, Any] | None:
    """Return ``content['meta']['mochi_mm']``, None where a file has no record.

    Only what :func:`mochi_mm.files.weights_meta.describe_weights` writes comes back: numbers in
    ``mean`` and ``std``, one line of text in ``channel_order``, ``algorithm`` and ``head``. The
    ``backbone`` is a dict that nobody has looked into: see
    :func:`mochi_mm.models.backbones.recorded.checked_backbone`.

    Args:
        content: Content of a checkpoint.
        source: The file, for the error.

    Raises:
        ValueError: A value of another kind.
    """
    meta = content.get('meta')
    found = meta.get(KEY) if isinstance(meta, Mapping) else None
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise _refused(source, f'meta.{KEY}', found, 'a dict')
    record: dict[str, Any] = {}
    for name in ('mean', 'std'):
        record[name] = _levels(found.get(name), name, source)
    for name in _TEXTS:
        value = found.get(name)
        record[name] = None if value is None else one_line(value, f'meta.{KEY}.{name}', source)
    backbone = found.get('backbone')
    if backbone is not None and not isinstance(backbone, Mapping):
        raise _refused(source, f'meta.{KEY}.backbone', backbone, 'a dict')
    record['backbone'] = None if backbone is None else dict(backbone)
    return record


def one_line(value: Any, name: str, source: str | Path) -> str:
    """Return text that can stand in a table, a command line or a terminal as it is.

    Raises:
        ValueError: No text, or one with line breaks, control characters or lone surrogates, or of
            more than :data:`MAX_TEXT` characters.
    """
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_TEXT:
        raise _refused(source, name, value, f'one line of up to {MAX_TEXT} printable characters')
    return value


def _levels(value: Any, name: str, source: str | Path) -> list[float] | None:
    if value is None:
        return None
    least = 0.0 if name == 'std' else -math.inf
    if (
        not isinstance(value, (list, tuple))
        or not 1 <= len(value) <= _CHANNELS
        or not all(type(v) in (int, float) and abs(v) < 1e9 and v > least for v in value)
    ):
        what = 'finite gray levels, one a channel' + (', above 0' if name == 'std' else '')
        raise _refused(source, f'meta.{KEY}.{name}', value, what)
    return [float(v) for v in value]


def _refused(source: str | Path, name: str, value: Any, expected: str) -> ValueError:
    return ValueError(
        f'{source}: {name} is {shown(value)}; expected {expected}. What a weight file says of '
        'itself is not taken on trust: restore the file, or write it anew.'
    )
