"""Images that cannot be read: named, counted, replaced, and too many of them stop the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.fault_record import FaultRecord
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.distributed.agreement import any_rank
from mochi_mm.distributed.rows import world_size
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import HOOKS

STATE = 'unreadable_samples'


@HOOKS.register_module()
class DataFaultHook(Hook):
    """Let training go on past images that cannot be read, within a limit.

    Each is replaced by another sample that depends on (seed, epoch, sample) alone, so runs stay
    reproducible, and is named once in the log. Evaluation is not touched: there it is an error.

    With several ranks they tell each other what they met every ``interval`` iterations and at the
    end of an epoch, the first rank names all, and the limit is on what all ranks met. What is known
    is saved with the run: resumed, it is counted and not named again.

    Args:
        max_share: Largest share of the data set that may be unreadable.
        interval: Iterations between two exchanges; one process looks at every iteration.

    Raises:
        ValueError: A share outside [0, 1] or an interval below 1; when training: more is
            unreadable.
    """

    priority = 'HIGH'

    def __init__(self, max_share: float = 0.01, interval: int = 50) -> None:
        if not 0 <= max_share <= 1 or interval < 1:
            raise ValueError(
                f'max_share is {max_share}, interval {interval}; expected a share between 0 and 1 '
                'and a number of iterations.'
            )
        self.max_share, self.interval = max_share, interval
        self._datasets: list[ImageDataset] = []

    def before_train(self, runner: Any) -> None:
        """Have the data sets of training note what they cannot read."""
        self._datasets = list(image_datasets(runner.train_dataloader.dataset))
        known = runner.message_hub.runtime_info.get(STATE, [])
        sizes = [len(dataset) for dataset in self._datasets]
        if [entry['size'] for entry in known] != sizes:  # another data set: its numbers say nothing
            known = [dict(size=size, samples=[]) for size in sizes]
        for dataset, entry in zip(self._datasets, known, strict=True):
            dataset.faults = FaultRecord(len(dataset), map(int, entry['samples']))

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Name what is new, and stop above the limit."""
        if world_size() == 1 or runner.iter % self.interval == 0:
            self._look(runner)

    def after_train_epoch(self, runner: Any) -> None:
        """Do the same with what the rest of the epoch met."""
        self._look(runner)

    def after_train(self, runner: Any) -> None:
        """Do the same at the end of training by iterations."""
        self._look(runner)

    def _look(self, runner: Any) -> None:
        """Exchange, name and count what is new; all ranks do so at the same iteration."""
        records = [dataset.faults for dataset in self._datasets if dataset.faults is not None]
        new = [record.new() for record in records]
        if not any_rank(any(new)):
            return
        mine = [
            {index: self._reason(dataset, index) for index in indices}
            for dataset, indices in zip(self._datasets, new, strict=True)
        ]
        ranks = all_gather_object(mine)
        for place, (dataset, record) in enumerate(self._both(records)):
            reasons: dict[int, str] = {}
            for found in ranks:
                reasons.update({i: r for i, r in found[place].items() if i not in record.told})
            record.told.update(reasons)
            for index, reason in sorted(reasons.items()):
                runner.logger.log(
                    logging.WARNING, f'sample {index} is replaced by others: {reason}'
                )
            if reasons and record.share() > self.max_share:
                raise ValueError(
                    f'{record.share():.2%} of {len(dataset)} images cannot be read, more than '
                    f'max_share={self.max_share:.2%} of DataFaultHook; the last: '
                    f'{reasons[max(reasons)]} List them with tools/dataset/check.py and leave them '
                    'out with exclude=, or raise default_hooks.data_fault.max_share.'
                )
        known = [dict(size=len(d), samples=sorted(r.told)) for d, r in self._both(records)]
        runner.message_hub.update_info(STATE, known)

    def _both(self, records: list[FaultRecord]) -> Iterator[tuple[ImageDataset, FaultRecord]]:
        return zip(self._datasets, records, strict=True)

    @staticmethod
    def _reason(dataset: ImageDataset, index: int) -> str:
        try:
            dataset.get_sample(index, SampleKey(index))
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
