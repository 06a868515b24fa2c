"""A model by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from mochi_mm.files.load_weights import load_for_test
from mochi_mm.launch.build import ConfigLike, build
from mochi_mm.launch.fresh_model import quiet
from mochi_mm.launch.named_configs import find_config, is_name


def get_model(
    name_or_config: ConfigLike,
    weights: str | Path | None = None,
    checkpoint_key: str | None = None,
) -> Any:
    """Return the model of a config, initialized, with weights where a checkpoint is given.

    Args:
        name_or_config: Name of a config of the project (:func:`mochi_mm.list_models`), the path of
            one, a whole config, or its ``model`` alone.
        weights: A checkpoint of this project; None leaves the weights as ``init_weights`` draws
            them, from torch's global generator.
        checkpoint_key: Set of weights that is taken of a file with several.

    Raises:
        KeyError: No config of that name, with the nearest ones, or an unknown component.
        FileNotFoundError: No such config or checkpoint.
        ValueError: The checkpoint lacks a weight of the model, holds one of another shape or one
            that is not finite, or was trained on other images than the model makes.

    >>> model = get_model('mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes')
    >>> type(model).__name__, type(model.head).__name__, model.head.memory.length
    ('MoCo', 'HardNegativeMixingHead', 1024)
    """
    model = build(find_config(name_or_config) if is_name(name_or_config) else name_or_config)
    with quiet():
        model.init_weights()
    if weights is not None:
        print_log(load_for_test(model, weights, checkpoint_key=checkpoint_key), logger='current')
    return model
