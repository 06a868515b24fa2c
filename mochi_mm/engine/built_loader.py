"""Data loaders of hooks, from a config or as they are."""

from __future__ import annotations

from typing import Any


def built_loader(runner: Any, dataloader: Any) -> Any:
    """Return a data loader with the seed of the run; what is no config stays as it is.

    Args:
        runner: The runner.
        dataloader: A config, a data loader, or None.
    """
    if isinstance(dataloader, dict):
        return runner.build_dataloader(dataloader, seed=runner.seed)
    return dataloader
