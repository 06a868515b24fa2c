"""What is known about a run before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mochi_mm.runs.doctor.memory_state import MemoryState
from mochi_mm.runs.doctor.observations import Observations
from mochi_mm.runs.run import Run


@dataclass(frozen=True)
class Facts:
    """Logs and config of a run, its memory as saved, and what a few batches showed.

    Attributes:
        run: The run, read from its work dir; its config is data, never executed.
        memories: State of the main head's memory in its checkpoints, the newest first.
        observed: From the newest checkpoint and some training images; None without them.
        unobserved: Why ``observed`` is None.
    """

    run: Run
    memories: list[MemoryState] = field(default_factory=list)
    observed: Observations | None = None
    unobserved: str = 'it needs the training images: give --config'

    def setting(self, *names: str) -> Any:
        """Return a setting of the run's config by its path, None where it is not there."""
        value: Any = self.run.config
        for name in names:
            if not isinstance(value, Mapping) or name not in value:
                return None
            value = value[name]
        return value

    @property
    def memory_settings(self) -> Mapping[str, Any]:
        """Return the settings of the main head's memory, empty where it has none."""
        found = self.setting('model', 'head', 'memory')
        return found if isinstance(found, Mapping) else {}

    @property
    def memory_length(self) -> int | None:
        """Return K, from the checkpoint or the config."""
        if self.memories:
            return len(self.memories[0].features)
        return whole(self.memory_settings.get('length'))

    @property
    def images_per_step(self) -> int | None:
        """Return the images of an iteration over all ranks, from the config and the log."""
        batch = whole(self.setting('train_dataloader', 'batch_size'))
        text = self.run.environment.get('GPU number', '1')
        return batch * int(text) if batch and text.isdecimal() and int(text) else batch

    @property
    def images_per_epoch(self) -> int | None:
        """Return the images of a pass, counted where the data set is at hand."""
        if self.observed is not None:
            return self.observed.dataset_size
        per_epoch, per_step = self.run.log.per_epoch, self.images_per_step
        return round(per_epoch * per_step) if per_epoch and per_step else None

    @property
    def last_step(self) -> int:
        """Return the last iteration in the log."""
        return int(self.run.log.lines[-1]['step']) if self.run.log.lines else 0

    def curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return iterations and finite values of a scalar in the log."""
        steps, values = (np.array(part, dtype=float) for part in self.run.log.curve(name, False))
        finite = np.isfinite(values)
        return steps[finite], values[finite]


def whole(value: Any) -> int | None:
    """Return a setting that is a positive whole number, None for anything else."""
    return value if type(value) is int and value > 0 else None


def late(values: np.ndarray) -> np.ndarray:
    """Return the last quarter of a curve, at least its last value."""
    return values[-max(1, len(values) // 4) :]
