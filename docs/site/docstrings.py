"""griffe: rewrite each docstring as it is read."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import griffe

_HERE = Path(__file__).parent
_REWRITTEN = runpy.run_path(str(_HERE / 'rewrite.py'))['rewritten']
_KNOWN = runpy.run_path(str(_HERE / 'api_pages.py'))['documented']()


class ApiDocstrings(griffe.Extension):
    """Docstrings with links for roles and sections for examples."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = _REWRITTEN(obj.docstring.value, _KNOWN)
