"""Values of a component's arguments against the kinds that its signature names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a setting is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value: Any) -> TypeGuard[int]:
    """Return whether a setting is an integer; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_several(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


# The names of kinds in signatures: what fits, and how to say it.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    'None': (lambda value: value is None, 'None'),
    'bool': (lambda value: isinstance(value, bool), 'True or False'),
    'int': (is_integer, 'an integer'),
    'float': (is_number, 'a number'),
    'str': (lambda value: isinstance(value, str), 'a string'),
    'Path': (lambda value: isinstance(value, (str, os.PathLike)), 'a path'),
    'dict': (lambda value: isinstance(value, Mapping), 'a dict'),
    'Mapping': (lambda value: isinstance(value, Mapping), 'a dict'),
    'nn.Module': (lambda value: hasattr(value, 'forward'), 'a module'),
    'tuple': (_is_several, 'a list'),
    'list': (_is_several, 'a list'),
    'Sequence': (_is_several, 'a list'),
}


def check_argument_kinds(kinds: Mapping[str, str], arguments: Mapping[str, Any], who: str) -> None:
    """Refuse values of another kind than the signature of a component names.

    What has a kind that is not known here, such as ``Any``, is left to the component, and so are
    ranges and choices.

    Args:
        kinds: Annotation of each argument, as text.
        arguments: Keyword arguments of the component.
        who: Name of the component, for the error.

    Raises:
        ValueError: With the argument, its value and what is expected.

    >>> check_argument_kinds({'num': 'int | None'}, {'num': 3}, 'Mixer')
    >>> check_argument_kinds({'num': 'int | None'}, {'num': '3'}, 'Mixer')
    Traceback (most recent call last):
    ValueError: Mixer num is '3'; expected an integer, or None.
    """
    for name, value in arguments.items():
        kind = kinds.get(name, 'Any')
        if not _fits(value, kind):
            raise ValueError(f'{who} {name} is {value!r}; expected {_words(kind)}.')


def _fits(value: Any, kind: str) -> bool:
    """Return whether a value has a kind, or one of several; everything fits unknown kinds."""
    options = _split(kind, '|')
    if options == ['None'] or any(_outer(option) not in _KINDS for option in options):
        return True  # a component that takes nothing says why
    return any(_fits_one(value, option) for option in options)


def _fits_one(value: Any, option: str) -> bool:
    if not _KINDS[_outer(option)][0](value):
        return False
    inner = _inner(option)
    if _outer(option) not in ('tuple', 'list', 'Sequence') or not isinstance(value, (list, tuple)):
        return True
    if _outer(option) == 'tuple' and '...' not in inner:
        return len(value) == len(inner) and all(map(_fits, value, inner))
    return not inner or all(_fits(one, inner[0]) for one in value)


def _words(kind: str) -> str:
    options = _split(kind, '|')
    words = list(dict.fromkeys(_words_of(option) for option in options if option != 'None'))
    return ' or '.join(words) + (', or None' if 'None' in options else '')


def _words_of(option: str) -> str:
    inner, words = _inner(option), _KINDS[_outer(option)][1]
    if words != 'a list' or not inner or '|' in inner[0] or _outer(inner[0]) not in _KINDS:
        return words
    count = f'{len(inner)} ' if _outer(option) == 'tuple' and '...' not in inner else ''
    each = re.sub('^an? ', '', _KINDS[_outer(inner[0])][1])
    return f'{words} of {count}{each}s'


def _outer(option: str) -> str:
    """Return ``Sequence`` of ``Sequence[int]``."""
    return option.partition('[')[0]


def _inner(option: str) -> list[str]:
    """Return what stands between the brackets of a kind."""
    return _split(option[option.index('[') + 1 : -1], ',') if option.endswith(']') else []


def _split(text: str, sign: str) -> list[str]:
    """Return the parts of an annotation between signs that stand in no bracket."""
    parts, depth = [''], 0
    for letter in text:
        depth += (letter == '[') - (letter == ']')
        if letter == sign and not depth:
            parts.append('')
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
