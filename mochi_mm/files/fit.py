"""Comparison of the weights of a file with those that a module wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mochi_mm.files.shown import shown_path

COUNTER = 'num_batches_tracked'


@dataclass(frozen=True)
class Fit:
    """Result of comparing the weights of a file with those of a module.

    Attributes:
        source: The file, for messages.
        what: The module, for messages, such as 'the backbone'.
        where: Whose it is, for messages.
        matched: Weights of the file that the module takes, by name.
        missing: Names that the module wants and the file lacks.
        counters: Batch counters that the file lacks, as files of older programs do; they are not
            among the missing and start at zero.
        shapes: A sentence for each weight of another shape.
        unused: Names in the file that the module does not want.
        wanted: Number of weights that the module wants.
    """

    source: str
    what: str
    where: str
    matched: dict[str, Tensor]
    missing: list[str]
    counters: list[str]
    shapes: list[str]
    unused: list[str]
    wanted: int

    def problems(self) -> list[str]:
        """Return the reasons why the file does not cover the module, as parts of a sentence."""
        if self.wanted and not self.matched and not self.shapes:
            return [
                f'no weight of it fits: it has {some(self.unused) or "none"}, {self.where} wants '
                f'{some([*self.missing, *self.counters])}'
            ]
        found = []
        if self.missing:
            found.append(
                f'{len(self.missing)} of {self.wanted} weights are missing, first {self.missing[0]}'
            )
        if self.shapes:
            found.append(f'{len(self.shapes)} have another shape, first {self.shapes[0]}')
        return found

    def demand(self, expected: str, further: Sequence[str] = ()) -> None:
        """Refuse a file that does not cover the module.

        Args:
            expected: Sentences that say what was expected, and what to do.
            further: More that is wrong, as parts of a sentence.

        Raises:
            ValueError: Something is missing, has another shape, or is in ``further``.
        """
        problems = [*self.problems(), *further]
        if problems:
            raise ValueError(
                f'{self.source} does not cover {self.what}: {"; ".join(problems)}. {expected}'
            )

    def report(self) -> str:
        """Return a line that says which weights were loaded and which were not."""
        found = len(self.matched)
        counters = f' ({len(self.counters)} batch counters start at zero)' if self.counters else ''
        unused = f': {some(self.unused)}' if self.unused else ''
        return (
            f'{self.what.removeprefix("the ")} loaded from {self.source}: {found} of '
            f'{found + len(self.counters)} weights matched{counters}, {len(self.unused)} in the '
            f'file not used{unused}'
        )


def fit(
    wanted: Mapping[str, Tensor],
    found: Mapping[str, Any],
    source: str,
    what: str,
    where: str | None = None,
) -> Fit:
    """Compare the weights that a module wants with those that a file has.

    Args:
        wanted: State of the module, or a part of it.
        found: Tensors of the file under the same names.
        source: The file, for messages.
        what: The module, for messages.
        where: Whose it is, for messages; None for ``what``.
    """
    where = what if where is None else where
    shapes = [
        f'{name}: {tuple(found[name].shape)} in the file, {tuple(value.shape)} in {where}'
        for name, value in wanted.items()
        if name in found and found[name].shape != value.shape
    ]
    absent = [name for name in wanted if name not in found]
    counters = [name for name in absent if name.split('.')[-1] == COUNTER]
    return Fit(
        source,
        what,
        where,
        {
            n: found[n]
            for n, value in wanted.items()
            if n in found and found[n].shape == value.shape
        },
        [name for name in absent if name not in set(counters)],
        counters,
        shapes,
        [name for name in found if name not in wanted],
        len(wanted),
    )


def some(names: Any, count: int = 3) -> str:
    """Return the first few of ``names`` as printable text, and how many more there are."""
    listed = [shown_path(name)[:200] for name in names]
    more = f' and {len(listed) - count} more' if len(listed) > count else ''
    return ', '.join(listed[:count]) + more
