"""Keeps checkpoints plain data, says what the weights are, refuses weights that match nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.model import is_model_wrapper

from mochi_mm.registry import HOOKS
from mochi_mm.utils.checkpoint import match_keys
from mochi_mm.utils.weights_meta import KEY, describe_weights


@HOOKS.register_module()
class CheckpointDataHook(Hook):
    """Writes log histories as numbers and rebuilds them on loading.

    So a checkpoint holds tensors, numbers and strings only and loads with ``weights_only=True``.
    """

    priority = 'VERY_LOW'

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Replace every history object by lists of numbers; record how to use the weights."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        checkpoint['meta'][KEY] = describe_weights(model, runner.cfg)
        hub = checkpoint['message_hub']
        checkpoint['message_hub'] = dict(
            log_scalars={
                name: [*_plain(buffer.data), int(buffer.max_length)]
                for name, buffer in hub['log_scalars'].items()
            },
            runtime_info={name: _plain_value(value) for name, value in hub['runtime_info'].items()},
            resumed_keys=dict(hub['resumed_keys']),
        )

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Rebuild the histories and compare the weights with the model's.

        Raises:
            ValueError: No weight of the file fits the model.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        match_keys(model.state_dict(), checkpoint.get('state_dict', checkpoint), 'the checkpoint')
        hub = checkpoint.get('message_hub')
        if hub is None:
            return
        for name, plain in hub['log_scalars'].items():
            if not isinstance(plain, HistoryBuffer):
                values, counts, length = plain
                hub['log_scalars'][name] = HistoryBuffer(values, counts, length)


def _plain(pair: Any) -> list[Any]:
    """Return a history's (values, counts) as two lists of Python numbers."""
    return [np.asarray(part).tolist() for part in pair]


def _plain_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
