"""The kNN benchmark of a config, for tools that measure a checkpoint on its images."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from mmengine.registry import init_default_scope

from mochi_mm.evaluation.knn_settings import find_benchmark
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.measured_config import load_measured


@dataclass(frozen=True)
class BenchmarkConfig:
    """What a config says of a network and of the images that it is measured on.

    Attributes:
        model: Config of the network, its data preprocessor within.
        bank: Config of the loader of the bank, the training images.
        queries: Config of the loader of the queries, the test images.
        settings: Those of the KNNLoop or KNNHook.
    """

    model: Any
    bank: dict[str, Any]
    queries: dict[str, Any]
    settings: dict[str, Any]


def load_benchmark(args: Namespace) -> BenchmarkConfig:
    """Return the benchmark of the config that a command line names, and make its scope the default.

    Args:
        args: See :func:`~mochi_mm.launch.measured_config.load_measured`.

    Raises:
        ValueError: The config says nothing about kNN, or what is wrong with it; an option that
            chooses weights.
        KeyError: An unknown component.
        FileNotFoundError: No such config or checkpoint.
    """
    config = load_measured(args)
    check_config(config)
    init_default_scope(config.get('default_scope', 'mochi_mm'))
    bank, queries, settings = find_benchmark(config)
    if config.get('data_preprocessor') is not None:
        config.model.setdefault('data_preprocessor', config.data_preprocessor)
    return BenchmarkConfig(config.model, bank, queries, settings)
