"""Errors of what a checkpoint holds, with the name of its file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mochi_mm.distributed.agreement import is_lost_connection
from mochi_mm.files.shown import shown


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Turn errors from parts that no run has written into one that names the file."""
    try:
        yield
    except ValueError as error:
        if source in str(error):
            raise
        raise ValueError(f'{source} cannot be continued: {error}') from error
    except (LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and is_lost_connection(error):
            raise
        raise ValueError(
            f'{source} cannot be continued: a part of it is of another kind than runs write '
            f'({type(error).__name__}: {shown(str(error))}). Resume another checkpoint, or start '
            'from its weights alone with load_from.'
        ) from error
