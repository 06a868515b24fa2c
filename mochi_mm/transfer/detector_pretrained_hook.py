"""Start of a detector from pre-trained weights, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook

from mochi_mm.registry import HOOKS
from mochi_mm.transfer.weights.load_detector import load_detector
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class DetectorPretrainedHook(Hook):
    """Load the file named by the config's top-level ``pretrained`` before the first iteration.

    ``--cfg-options pretrained=work_dirs/.../epoch_200.pth``. The string ``none`` trains from
    random weights on purpose. A resumed run keeps its own weights. The top-level
    ``checkpoint_key`` names the set of weights that is taken of a file with several.

    Args:
        trained_with: For files that do not record it: the ``mean``, ``std`` and ``channel_order``
            that the weights were trained with.
        fresh_norms: Scale each kernel of the file to the norm of the one it replaces; what the
            network computes stays the same. For short schedules from kernels that grew large in
            pre-training. No published protocol does this.
    """

    priority = 'HIGH'

    def __init__(
        self, trained_with: Mapping[str, Any] | None = None, fresh_norms: bool = False
    ) -> None:
        self.trained_with = trained_with
        self.fresh_norms = fresh_norms

    def before_train(self, runner: Any) -> None:
        """Load and log the report.

        Raises:
            FileNotFoundError: No such file.
            ValueError: ``pretrained`` is not set, or see :func:`load_detector`.
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
            runner.logger.warning('pretrained=none: the detector starts from random weights')
            return
        if runner.cfg.get('load_from'):
            raise ValueError(
                f'load_from is {runner.cfg.load_from} and pretrained is {path}: both would fill '
                'the backbone; expected one of them (pretrained=none keeps what load_from loaded).'
            )
        model = unwrap(runner.model)
        key = runner.cfg.get('checkpoint_key')
        report = load_detector(model, path, self.trained_with, self.fresh_norms, key)
        runner.logger.info(str(report))
