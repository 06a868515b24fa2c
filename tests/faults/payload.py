"""A harmless stand-in for code in a file: read as code, it makes an empty file."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Marker:
    """Makes an empty file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)
