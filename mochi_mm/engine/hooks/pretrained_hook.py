"""Start of a model's backbone from a checkpoint, or an error."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mochi_mm.files.adapt_stem import RULES
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.weights_digest import weights_digest
from mochi_mm.registry import HOOKS
from mochi_mm.utils.checks import check_choice
from mochi_mm.utils.unwrap import unwrap

DIGEST = 'frozen_backbone'


@HOOKS.register_module()
class PretrainedHook(Hook):
    """Load the backbone named by the config's top-level ``pretrained`` before training.

    ``tools/train.py CONFIG --cfg-options pretrained=work_dirs/.../epoch_200.pth``. The string
    ``none`` trains from random weights on purpose. A resumed run keeps its own weights. The
    top-level ``checkpoint_key`` names the set of weights that is taken of a file with several.

    Where the model freezes its backbone (a linear probe), weights and running statistics are
    compared at the end with those at the start, bit by bit: what was measured is what was loaded.

    Args:
        allow_other_input: Load weights that were trained on images with another mean, standard
            deviation or channel order than the model's data preprocessor makes.
        adapt_stem: ``mean`` takes weights of three channels into a backbone of another number: each
            gets the mean of the three (:func:`mochi_mm.files.adapt_stem.adapt_stem`). None refuses
            them.
    """

    priority = 'HIGH'

    def __init__(self, allow_other_input: bool = False, adapt_stem: str | None = None) -> None:
        self.allow_other_input, self.adapt_stem = allow_other_input, adapt_stem
        if adapt_stem is not None:
            check_choice('adapt_stem', adapt_stem, RULES)

    def before_train(self, runner: Any) -> None:
        """Load and log the report; note the state of a frozen backbone.

        Raises:
            ValueError: ``pretrained`` is not set, the file does not cover the backbone, or it was
                trained on other images.
        """
        if runner.iter == 0:
            self._load(runner)
        model = unwrap(runner.model)
        if getattr(model, 'freeze_backbone', False):
            info = runner.message_hub.runtime_info
            if runner.iter == 0 or DIGEST not in info:
                runner.message_hub.update_info(DIGEST, weights_digest(model.backbone))

    def after_train(self, runner: Any) -> None:
        """Compare a frozen backbone with what it was.

        Raises:
            RuntimeError: The frozen backbone has changed.
        """
        model = unwrap(runner.model)
        if not getattr(model, 'freeze_backbone', False):
            return
        before, after = runner.message_hub.get_info(DIGEST), weights_digest(model.backbone)
        if before != after:
            raise RuntimeError(
                f'the frozen backbone changed during training: digest {before[:12]} before, '
                f'{after[:12]} after. The accuracy is not that of the weights that were loaded; '
                'look for a hook, or a batch norm in training mode, that writes into it.'
            )
        runner.logger.info(f'the frozen backbone is unchanged (digest {after[:12]})')

    def _load(self, runner: Any) -> None:
        path = runner.cfg.get('pretrained')
        if not path:
            raise ValueError(
                'this config starts from pre-trained weights but `pretrained` is empty; expected '
                '--cfg-options pretrained=CHECKPOINT (or pretrained=none for random weights).'
            )
        if path == 'none':
            runner.logger.warning('pretrained=none: the backbone starts from random weights')
            return
        key = runner.cfg.get('checkpoint_key')
        report = load_backbone(
            runner.model, path, self.allow_other_input, checkpoint_key=key, stem=self.adapt_stem
        )
        runner.logger.info(report)
