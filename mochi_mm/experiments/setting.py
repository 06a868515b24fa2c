"""One thing that a sweep trains."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

#: The role of a network that nobody trains.
UNTRAINED = 'untrained'


@dataclass(frozen=True)
class Setting:
    """A config and what is changed in it; it is trained once for each seed.

    Attributes:
        name: Name in folders, records and on the command line.
        title: Name in tables and sentences.
        config: Path of its config in the repository.
        data: Folder of its images in the data root; empty where the config draws its own.
        options: Changes of the config, by dotted key.
        role: Role beside the others: ``untrained`` is not trained, any other is a name that the
            claims of a suite refer to.
        against: Name of the setting that it is compared with, seed by seed; empty for none.
        start: Name of the setting that it starts from, as the run with the same seed ends; empty
            for random weights. Of the same data it takes backbone and neck, of other data the
            exported backbone, as ``tools/train.py --from`` does.
        longer: It trains for so many times the epochs of the suite, rounded, at least one: what a
            comparison at equal time needs.

    Raises:
        ValueError: ``longer`` is not above zero.
    """

    name: str
    title: str
    config: str
    data: str = ''
    options: dict[str, Any] = field(default_factory=dict)
    role: str = ''
    against: str = ''
    start: str = ''
    longer: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.longer < math.inf:
            raise ValueError(f'{self.name}: longer={self.longer}; expected a number above 0.')

    @property
    def trained(self) -> bool:
        """Return whether anything is trained."""
        return self.role != UNTRAINED
