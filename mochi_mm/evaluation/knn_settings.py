"""Data and settings of the kNN benchmark of a config."""

from __future__ import annotations

from typing import Any


def find_benchmark(cfg: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the data loaders of bank and queries, and the settings of the loop or hook.

    Raises:
        ValueError: The config has neither a KNNLoop nor a KNNHook.
    """
    test_cfg = cfg.get('test_cfg') or {}
    if str(test_cfg.get('type')).endswith('KNNLoop'):
        return test_cfg['bank_dataloader'], cfg.test_dataloader, test_cfg
    for hook in cfg.get('custom_hooks') or []:
        if str(hook.get('type')).endswith('KNNHook'):
            return hook['bank_dataloader'], hook['query_dataloader'], hook
    raise ValueError(
        f'{cfg.filename} says nothing about kNN; expected test_cfg of type KNNLoop, as in '
        'configs/benchmarks/knn, or a KNNHook in custom_hooks.'
    )
