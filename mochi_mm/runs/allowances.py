"""What may be allowed to differ between the parts of a run."""

from __future__ import annotations

from typing import Any

from mochi_mm.registry import nearest

#: What may be allowed to differ at a resume, and what allowing it does.
ALLOWANCES = dict(
    weights='missing weights keep their initial values, unused ones are dropped',
    optimizer='the optimizer starts without its state',
    world_size='the number of processes may differ',
    dataset='the samples may differ: their number, their files',
    settings='settings may differ; the new ones hold',
)


def check_allowances(names: Any) -> tuple[str, ...]:
    """Return the setting ``resume_allow`` as names of :data:`ALLOWANCES`.

    Raises:
        ValueError: It is no list, or names something else.

    >>> check_allowances(['settings'])
    ('settings',)
    """
    listed = isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names)
    unknown = [name for name in names if name not in ALLOWANCES] if listed else []
    if unknown:
        close = nearest(unknown[0], ALLOWANCES, 1)
        raise ValueError(
            f'resume_allow names {", ".join(unknown)}; expected some of {", ".join(ALLOWANCES)}. '
            f'Nearest: {", ".join(close) or "none"}.'
        )
    if not listed:
        raise ValueError(
            f"resume_allow is {names!r}; expected a list, such as resume_allow=['settings'], of "
            f'some of {", ".join(ALLOWANCES)}.'
        )
    return tuple(names)
