"""The share of pseudo-labels that is accepted, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.utils.checks import check_integer


@dataclass(frozen=True)
class AcceptanceSchedule:
    """Share that grows linearly over the epochs, after a warm-up without labels.

    Attributes:
        start_epoch: First epoch, counted from 0, with labels.
        end_epoch: Epoch from which on the share is the last one; None for the run's last epoch.
        shares: Share of the images at ``start_epoch`` and from ``end_epoch`` on, in [0, 1].

    Raises:
        ValueError: A setting out of range.

    >>> schedule = AcceptanceSchedule(start_epoch=1, shares=(0.2, 1.0))
    >>> [round(schedule.share(epoch, max_epochs=6), 3) for epoch in range(6)]
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """

    start_epoch: int = 1
    end_epoch: int | None = None
    shares: Sequence[float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        check_integer('start_epoch', self.start_epoch, 1, least=0)
        if self.end_epoch is not None:
            check_integer('end_epoch', self.end_epoch, 100, least=self.start_epoch)
        if len(self.shares) != 2 or not all(0 <= share <= 1 for share in self.shares):
            raise ValueError(
                f'shares is {self.shares!r}; expected the first and the last share of the images, '
                'both in [0, 1], such as (0.0, 1.0).'
            )

    def share(self, epoch: int, max_epochs: int) -> float:
        """Return the share that is accepted in an epoch, 0 before ``start_epoch``."""
        if epoch < self.start_epoch:
            return 0.0
        first, last = self.shares
        end = max_epochs - 1 if self.end_epoch is None else self.end_epoch
        if epoch >= end:
            return last
        return first + (last - first) * (epoch - self.start_epoch) / (end - self.start_epoch)

    def check(self, max_epochs: int, num_images: int) -> None:
        """Refuse a schedule that would never accept a label in a run.

        Raises:
            ValueError: It would not.
        """
        most = max(self.share(epoch, max_epochs) for epoch in range(max_epochs))
        if round(most * num_images) < 2:
            raise ValueError(
                f'the schedule of the pseudo-labels (start_epoch={self.start_epoch}, '
                f'end_epoch={self.end_epoch}, shares={tuple(self.shares)}) never accepts two of '
                f'the {num_images} images in {max_epochs} epochs, so nothing would come of them; '
                'lower start_epoch, or raise shares.'
            )
