"""All lists by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mochi_mm.launch.listing.list_components import list_components
from mochi_mm.launch.listing.list_configs import list_configs
from mochi_mm.launch.listing.list_datasets import list_datasets
from mochi_mm.launch.listing.list_methods import list_methods
from mochi_mm.launch.listing.list_tools import list_tools
from mochi_mm.launch.listing.table import Table

#: Lists by name; each is given the folder that holds ``configs/`` and ``tools/``.
LISTS: Mapping[str, Callable[[Path], Table]] = dict(
    methods=list_methods,
    configs=list_configs,
    components=lambda root: list_components(),
    datasets=list_datasets,
    tools=list_tools,
)


def overview(root: Path) -> Table:
    """Return the number of entries per list."""
    return Table(
        ('list', 'entries'),
        [(name, str(len(make(root).rows))) for name, make in LISTS.items()],
        shown=2,
    )
