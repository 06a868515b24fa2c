"""The images of a small data set, on the device."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mochi_mm.datasets.in_memory import InMemory
from mochi_mm.registry import HOOKS
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class HoldImagesHook(Hook):
    """Put the pixels of an ``InMemory`` data set next to the model, for ``HeldMultiView``.

    Raises:
        ValueError: When training starts: another data set.
    """

    priority = 'HIGH'

    def before_train(self, runner: Any) -> None:
        """Hand the pixels to the data preprocessor."""
        dataset = runner.train_dataloader.dataset
        if not isinstance(dataset, InMemory):
            raise ValueError(
                f'HoldImagesHook holds the images of an InMemory data set, got '
                f"{type(dataset).__name__}; wrap it: dict(type='InMemory', dataset=...)."
            )
        model = unwrap(runner.model)
        model.data_preprocessor.hold(dataset.pixels)
