"""The form of a measure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mochi_mm.experiments.measures.subject import Subject


class Measure(ABC):
    """One thing that is measured of a network; its settings are its attributes."""

    @abstractmethod
    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return figures by name, percent where they are accuracies.

        Args:
            subject: The network, trained or not, with its config, data and logs.
        """

    def hooks(self, config: Any, interval: int) -> list[dict[str, Any]]:
        """Return the hooks that watch the same while the network trains; none is allowed.

        Args:
            config: Config of the run; its loaders are those of the sweep.
            interval: Epochs between two looks.
        """
        return []

    def data(self) -> tuple[str, ...]:
        """Return the folders in the data root that it needs beside those of the settings."""
        return ()
