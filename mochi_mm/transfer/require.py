"""Error that says what to install where mmdet is absent."""

from __future__ import annotations

from importlib.util import find_spec


def require_mmdet() -> None:
    """Raise a one-line ``ImportError`` unless mmcv and mmdet are installed."""
    missing = [name for name in ('mmcv', 'mmdet') if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"mochi_mm.transfer needs {' and '.join(missing)}: pip install 'mochi_mm[det]' "
            '(no compiler needed)'
        )
