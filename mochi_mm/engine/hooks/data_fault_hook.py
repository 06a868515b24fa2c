"""Images that cannot be read: named, counted, replaced, and too many of them stop the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.registry import HOOKS
from mochi_mm.utils.keyed_random import SampleKey


@HOOKS.register_module()
class DataFaultHook(Hook):
    """Lets training go on past images that cannot be read, within a limit.

    Each is replaced by another sample that depends on (seed, epoch, sample) alone, so runs stay
    reproducible, and is named once in the log. Evaluation is not touched: there it is an error.

    Args:
        max_share: Largest share of the data set that may be unreadable.

    Raises:
        ValueError: A share outside [0, 1]; when training: more is unreadable.
    """

    priority = 'HIGH'

    def __init__(self, max_share: float = 0.01) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f'max_share is {max_share}; expected a share between 0 and 1.')
        self.max_share = max_share
        self._datasets: list[ImageDataset] = []

    def before_train(self, runner: Any) -> None:
        """Have the data sets of training note what they cannot read."""
        self._datasets = list(image_datasets(runner.train_dataloader.dataset))
        for dataset in self._datasets:
            dataset.faults = FaultRecord(len(dataset))

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Name what is new, and stop above the limit."""
        for dataset in self._datasets:
            record = dataset.faults
            new = [] if record is None else record.new()
            if record is None or not new:
                continue
            reasons = [self._reason(dataset, index) for index in new]
            for index, reason in zip(new, reasons, strict=True):
                runner.logger.log(
                    logging.WARNING, f'sample {index} is replaced by others: {reason}'
                )
            if record.share() > self.max_share:
                raise ValueError(
                    f'{record.share():.2%} of {len(dataset)} images cannot be read, more than '
                    f'max_share={self.max_share:.2%} of DataFaultHook; the last: {reasons[-1]} '
                    'List them with tools/dataset/check.py and leave them out with exclude=, or '
                    'raise default_hooks.data_fault.max_share.'
                )

    @staticmethod
    def _reason(dataset: ImageDataset, index: int) -> str:
        try:
            dataset.made(index, SampleKey(index))
        except UnreadableImage as error:
            return str(error)
        return 'it could not be read once and can now'


def image_datasets(dataset: Any) -> Iterator[ImageDataset]:
    """Yield the data sets of this project inside ``dataset`` and its wrappers."""
    if isinstance(dataset, ImageDataset):
        yield dataset
    for child in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', ())]:
        if child is not None:
            yield from image_datasets(child)
