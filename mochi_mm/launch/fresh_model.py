"""A model as it is before the first step."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from mmengine.logging import MMLogger
from mmengine.runner import set_random_seed

from mochi_mm.models.algorithms import BaseAlgorithm
from mochi_mm.registry import MODELS


def fresh_model(config: Any, seed: int) -> BaseAlgorithm:
    """Build a model and initialize its weights with ``seed``; the config stays as it is.

    MMEngine's list of what initialized each weight is left out of the log.

    Args:
        config: The ``model`` of a config.
        seed: Seed of all random generators, which are set to it.
    """
    set_random_seed(seed)
    model = cast(BaseAlgorithm, MODELS.build(copy.deepcopy(config)))
    with quiet():
        model.init_weights()
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Keep MMEngine's logger from anything below a warning: it lists every initialized weight."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
