"""Parts of parameter names that a config gives rates of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mochi_mm.registry import nearest


def check_custom_keys(keys: Iterable[str], names: Sequence[str]) -> None:
    """Raise where a key stands in no parameter's name, so that its rate would be nobody's.

    Args:
        keys: Keys of ``optim_wrapper.paramwise_cfg.custom_keys``.
        names: Names of all parameters.

    Raises:
        ValueError: Such a key, with the nearest parts of the names.
    """
    parts = dict.fromkeys(part for name in names for part in _parts(name))
    for key in keys:
        if not any(key in name for name in names):
            raise ValueError(
                f'optim_wrapper.paramwise_cfg.custom_keys has {key!r}, which is part of no '
                f"parameter's name, so it would change nothing. Nearest: "
                f'{", ".join(nearest(key, parts)) or "none"}; the first names are '
                f'{", ".join(names[:2])}.'
            )


def _parts(name: str) -> list[str]:
    """Return every beginning of a dotted name, and every word of it."""
    words = name.split('.')
    return [*words, *('.'.join(words[: i + 1]) for i in range(len(words)))]
