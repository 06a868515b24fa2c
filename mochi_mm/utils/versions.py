"""Versions of the dependencies that the project was tested with.

Nothing is refused at import: outside the tested range there is one warning, and it names the way
back. Versions come from the installed packages' metadata, so nothing heavy is imported.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True)
class VersionRange:
    """The tested range of one dependency, both ends included.

    Attributes:
        distributions: Names under which it can be installed, the preferred one first.
        lowest: Lowest tested version.
        highest: Highest tested version; later patch releases of it count as tested.
    """

    distributions: tuple[str, ...]
    lowest: str
    highest: str


TESTED = {
    'torch': VersionRange(('torch',), '2.4', '2.15'),
    'mmengine': VersionRange(('onedl-mmengine', 'mmengine'), '0.10.12', '0.10.12'),
    'numpy': VersionRange(('numpy',), '1.26', '2.5'),
}


def installed_version(*distributions: str) -> str | None:
    """Return the version of the first of ``distributions`` that is installed, else None."""
    for name in distributions:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if found:  # a damaged installation has metadata without a version
            return found
    return None


def release(version: str) -> tuple[int, ...]:
    """Return the leading numbers of ``version``: '2.11.0+cu130' gives (2, 11, 0)."""
    leading = re.match(r'\d+(\.\d+)*', version)
    return tuple(int(part) for part in leading.group().split('.')) if leading else ()


def is_tested(version: str, tested: VersionRange) -> bool:
    """Return whether ``version`` lies in the range ``tested``; one that cannot be read does not."""
    found, highest = release(version), release(tested.highest)
    return release(tested.lowest) <= found and found[: len(highest)] <= highest


def warn_if_untested() -> None:
    """Emit one warning that lists every dependency outside its tested range; never raise.

    A dependency that is not installed is left to the import that needs it.
    """
    outside = []
    for name, tested in TESTED.items():
        version = installed_version(*tested.distributions)
        if version is not None and not is_tested(version, tested):
            outside.append(f'{name} {version} (tested: {tested.lowest} to {tested.highest})')
    if outside:
        warnings.warn(
            f'mochi_mm was not tested with {", ".join(outside)}. It may work; if it does not, '
            'install the pinned set: pip install -e . -c requirements/constraints.txt',
            stacklevel=3,
        )
