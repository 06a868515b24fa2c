"""Starts a model's backbone from a checkpoint, or stops."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mochi_mm.registry import HOOKS
from mochi_mm.utils.checkpoint import load_backbone


@HOOKS.register_module()
class PretrainedHook(Hook):
    """Loads the backbone named by the config's top-level ``pretrained`` before training.

    ``tools/train.py CONFIG --cfg-options pretrained=work_dirs/.../epoch_200.pth``. The string
    ``none`` trains from random weights on purpose. A resumed run keeps its own weights.
    """

    priority = 'HIGH'

    def before_train(self, runner: Any) -> None:
        """Load and log the report.

        Raises:
            ValueError: ``pretrained`` is not set, or the file does not cover the backbone.
        """
        if runner.iter > 0:
            return
        path = runner.cfg.get('pretrained')
        if not path:
            raise ValueError(
                'this config starts from pre-trained weights but `pretrained` is empty; expected '
                '--cfg-options pretrained=CHECKPOINT (or pretrained=none for random weights).'
            )
        if path == 'none':
            runner.logger.warning('pretrained=none: the backbone starts from random weights')
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        runner.logger.info(load_backbone(model, path))
