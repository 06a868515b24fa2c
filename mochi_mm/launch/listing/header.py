"""First lines of a file, read without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FIELDS = ('Paper', 'Command', 'Hardware', 'Expected', 'Measured')
_FIELD = re.compile(rf'^({"|".join(FIELDS)}): (.*(?:\n +.*)*)', re.M)
_ROLE = re.compile(r':\w+:`~?(?:\w+\.)*(\w+)`')


@dataclass(frozen=True)
class ConfigHeader:
    """The opening docstring of a config.

    Attributes:
        title: First sentence of the docstring.
        fields: Paper, Command, Hardware, Expected and Measured, each on one line; those that it
            has.
    """

    title: str
    fields: Mapping[str, str]


def docstring_of(path: Path) -> str:
    """Return the docstring of a Python file, or the first comment of a shell script."""
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.py':
        return ast.get_docstring(ast.parse(text)) or ''
    lines = [line for line in text.splitlines() if not line.startswith('#!')]
    end = next((i for i, line in enumerate(lines) if not line.startswith('#')), len(lines))
    return '\n'.join(line.lstrip('#').strip() for line in lines[:end])


def read_header(path: Path) -> ConfigHeader:
    """Return the parts of a config's opening docstring."""
    text = docstring_of(path)
    fields = {name: ' '.join(value.split()) for name, value in _FIELD.findall(text)}
    return ConfigHeader(summary(text), fields)


def summary(docstring: str) -> str:
    """Return the first paragraph of a docstring on one line, without its last full stop.

    >>> summary('Return a :class:`~mochi_mm.structures.Plan`\\nof one step.\\n\\nMore.')
    'Return a `Plan` of one step'
    """
    first = docstring.strip().split('\n\n')[0]
    return _ROLE.sub(r'`\1`', ' '.join(first.split())).removesuffix('.')
