"""Files of :func:`torch.save` that hold plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mochi_mm.files.atomic_file import write_atomically


def write_pth(path: Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and strings, readable with ``weights_only=True``, in one step."""
    write_atomically(path, lambda file: torch.save(content, file))
