"""Number of images of each class, for the parts of a model that weigh classes by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.argument_kinds import is_integer
from mochi_mm.models.functional.balanced_softmax import log_prior
from mochi_mm.structures import DataFacts


class ClassCounts(nn.Module):
    """Images of each class of the training set; state that a checkpoint holds.

    Args:
        num_classes: C.
        given: ``data`` takes those of the training set, at the start of a run; C numbers above 0
            stand in their place; None counts nothing: all classes are as frequent.
        who: Name of the part that needs them, for errors.

    Attributes:
        counts: (C,) int64, 0 while nothing is known.

    Raises:
        ValueError: Counts that are not C integers above 0.

    >>> ClassCounts(2, [10, 2], 'a head')().tolist()
    [10, 2]
    """

    counts: Tensor

    def __init__(self, num_classes: int, given: str | Sequence[int] | None, who: str) -> None:
        super().__init__()
        self.num_classes, self.who = num_classes, who
        self.from_data, self.equal = given == 'data', given is None
        found = [0 if self.from_data else 1] * num_classes
        if not self.from_data and given is not None:
            found = _checked(given, num_classes, who)
        self.register_buffer('counts', torch.tensor(found, dtype=torch.int64))
        self._known = not self.from_data

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'num_classes={self.num_classes}, from_data={self.from_data}'

    def set_data(self, facts: DataFacts) -> None:
        """Take the counts of the training set; called before the first iteration.

        Raises:
            ValueError: Another number of classes, or a class without an image.
        """
        if self.from_data:
            self.counts.copy_(facts.images_of(self.num_classes, self.who))
            self._known = True

    def forward(self) -> Tensor:
        """Return (C,) the counts.

        Raises:
            ValueError: They are to come from the data set, and did not come yet.
        """
        if not self._known:
            raise ValueError(
                f'{self.who} does not know how many images each of its {self.num_classes} classes '
                'has: call set_data(facts) on its class_counts first, train with a config whose '
                'hooks include RunCheckHook (default_runtime.py does), or set class_counts to '
                'numbers, or to None where all classes are as frequent.'
            )
        return self.counts

    def log_prior(self) -> Tensor:
        """Return (C,) the logarithm of each class's share of the images; 0 where none counts.

        Raises:
            ValueError: As :meth:`forward`.
        """
        return torch.zeros_like(self().float()) if self.equal else log_prior(self())

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        if not self._known and not self.counts.is_meta:
            self._known = bool((self.counts > 0).all())


def _checked(given: Any, num_classes: int, who: str) -> list[int]:
    numbers = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    wrong = [n for n in numbers if not is_integer(n) or n < 1]
    if len(numbers) != num_classes or wrong:
        which = f'{wrong[0]!r} among them' if wrong else f'{len(numbers)} of them'
        raise ValueError(
            f'class_counts of {who} is {given!r}, {which}; expected {num_classes} integers, at '
            "least 1 image of each class, 'data' or None."
        )
    return numbers
