"""Check of a head's memory: there where it is needed, and not where it is not."""

from __future__ import annotations

from collections.abc import Mapping

from mochi_mm.models.memories import BaseMemory


def check_memory(
    head: str, memory: BaseMemory | None, wanted: bool | None, masks: Mapping[str, bool]
) -> None:
    """Accept a memory where the head works with one, and masks of its rows only beside it.

    Args:
        head: Name of the head, for the error.
        memory: The memory; None for the batch.
        wanted: Whether the head works with a memory; None for either way.
        masks: Settings that leave out rows of a memory, by name.

    Raises:
        ValueError: A memory too many or too few, one that cannot be written, or a mask without a
            memory.
    """
    if wanted is not None and wanted != (memory is not None):
        expected = 'a memory, such as dict(type="FeatureQueue")' if wanted else 'none'
        raise ValueError(f'memory is {memory} but {head} needs {expected}.')
    if memory is not None and not memory.writable:
        raise ValueError(
            f'memory of {head} is {memory}, whose rows the optimizer moves, and the head writes '
            'keys into its memory after each step; set ema_decay, such as 0.9, or take a '
            'FeatureQueue.'
        )
    if memory is None and any(masks.values()):
        names = ', '.join(name for name, value in masks.items() if value)
        raise ValueError(
            f'{names} is set but there is no memory whose rows it could leave out; set memory, '
            'or take it out.'
        )
