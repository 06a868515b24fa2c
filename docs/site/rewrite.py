"""Docstrings of the package in the form that the reference is made from.

Examples stand in them as plain ``>>>`` lines and references as Sphinx roles; the page shall have a
section for the one and links for the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ROLE = re.compile(r':\w+:`~?([^`]+)`')
_EXAMPLE = re.compile(r'^>>> .*?(?=\n\s*\n|\Z)', re.M | re.S)


def rewritten(text: str, known: Mapping[str, str]) -> str:
    """Return a docstring with links for roles, and a section for its examples.

    Args:
        text: The docstring, without the indentation of its code.
        known: Dotted path of what the reference shows, by its last name.
    """
    text = _EXAMPLE.sub(lambda match: 'Examples:\n' + _indented(match[0]), text)
    text = _ROLE.sub(lambda match: _link(match[1], known), text)
    return re.sub(r'``([^`]+)``', r'`\1`', text)


def _indented(text: str) -> str:
    return '\n'.join('    ' + line for line in text.splitlines())


def _link(target: str, known: Mapping[str, str]) -> str:
    name = target.split('.')[-1]
    return f'[`{name}`][{known[name]}]' if name in known else f'`{name}`'
