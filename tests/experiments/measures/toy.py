"""A small network with its data and logs, for the tests of the measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.experiments.measures import Subject
from tests.evaluation.toy import loader_config, toy_model


def toy_subject(folder: Path, epochs: int = 0, **loaders: Any) -> Subject:
    """30 images that vote and 12 that are classified; ``loaders`` stand in for these."""
    config = dict(
        train_dataloader=loader_config(size=30, noise=200),
        bank_dataloader=loader_config(size=30, noise=200),
        query_dataloader=loader_config(size=12, seed=1, noise=200),
        other_dataloader=loader_config(size=18, seed=2, noise=200),
    )
    return Subject(toy_model(5), Config({**config, **loaders}), folder, epochs, folder)
