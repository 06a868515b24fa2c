"""A model as it is before the first step."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.runner import set_random_seed

from mochi_mm.registry import MODELS


def fresh_model(config: Any, seed: int) -> Any:
    """Build a model and initialise its weights with ``seed``; the config stays as it is.

    Args:
        config: The ``model`` of a config.
        seed: Of all random generators, which are set to it.
    """
    set_random_seed(seed)
    model = MODELS.build(copy.deepcopy(config))
    model.init_weights()
    return model
