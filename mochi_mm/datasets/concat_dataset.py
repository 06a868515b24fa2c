"""Several data sets as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.parts import built_parts, hand_down, true_labels
from mochi_mm.datasets.same_images import same_images
from mochi_mm.datasets.transforms import Compose
from mochi_mm.registry import DATASETS
from mochi_mm.utils.class_names import check_same_names


@DATASETS.register_module()
class ConcatDataset(ImageDataset):
    """The samples of several data sets, one data set after the other.

    Each sample keeps its key, so draws depend on (seed, epoch, index in the whole). ``sample_idx``
    is that of the part plus the images of the parts before it: different images have different
    ones. Labels mean the same in all parts: their classes must be the same, in the same order;
    parts without classes, such as a folder of images without labels, may stand beside them.

    Args:
        datasets: Data sets of this project, as configs or objects. Either each has a pipeline, or
            none has.
        pipeline: The one of all, where they have none of their own.

    Attributes:
        parts: The data sets.
        targets: (len, classes), where all parts have ``targets``.
        true_labels: (len,) int64, where a part has ``true_labels``; the labels of those without.

    Raises:
        ValueError: No data set, one of another library, the same images in two of them, different
            classes or channels, labels without names beside classes, pipelines in some parts only
            or both here and there.
    """

    def __init__(self, datasets: Sequence[Any], pipeline: Sequence[Any] = ()) -> None:
        super().__init__(pipeline)
        self.parts = built_parts(datasets, 'ConcatDataset.datasets')
        hand_down(self.pipeline, self.parts, 'ConcatDataset')
        _refuse_copies(self.parts)
        self.channels = _common_channels(self.parts)
        self.classes = _common_classes(self.parts)
        self.labels = np.concatenate([part.labels for part in self.parts])
        self._starts = np.cumsum([0, *(len(part) for part in self.parts)])
        self._first = np.cumsum([0, *(part.num_images for part in self.parts)])
        targets: list[Any] = [getattr(part, 'targets', None) for part in self.parts]
        if all(table is not None for table in targets):
            self.targets = np.concatenate(targets)
        if any(hasattr(part, 'true_labels') for part in self.parts):
            self.true_labels = np.concatenate([true_labels(part) for part in self.parts])

    @property
    def num_images(self) -> int:
        """Return the number of different images."""
        return int(self._first[-1])

    def fingerprint(self) -> str:
        """Return a digest of those of the parts, in their order."""
        marks = [f'{len(part)} {part.fingerprint()}' for part in self.parts]
        return hashlib.sha256('\n'.join(marks).encode()).hexdigest()[:16]

    def image(self, index: int) -> Any:
        """Return image ``index``; raises as its part does."""
        number, inner = self._place(index)
        return self.parts[number].image(inner)

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the part's pipeline, with a ``sample_idx`` of the whole."""
        number, inner = self._place(index)
        results = self.parts[number].sample(inner)
        return dict(results, sample_idx=results['sample_idx'] + int(self._first[number]))

    def pipeline_of(self, index: int) -> Compose:
        """Return the pipeline of the part that holds sample ``index``."""
        number, inner = self._place(index)
        return self.parts[number].pipeline_of(inner)

    def _place(self, index: int) -> tuple[int, int]:
        """Return which part holds a sample, and its index there."""
        number = int(np.searchsorted(self._starts, index, side='right')) - 1
        return number, index - int(self._starts[number])


def _refuse_copies(parts: Sequence[ImageDataset]) -> None:
    for (i, first), (j, second) in combinations(enumerate(parts), 2):
        if same_images(first, second):
            raise ValueError(
                f'datasets[{i}] and datasets[{j}] of ConcatDataset hold the same images, and each '
                'would count as two: a negative of itself. Expected other images, such as those '
                'of another split; to see images more often, RepeatDataset(dataset, times).'
            )


def _common_channels(parts: Sequence[ImageDataset]) -> int:
    for i, part in enumerate(parts):
        if part.channels != parts[0].channels:
            raise ValueError(
                f'datasets[0] of ConcatDataset has images of {parts[0].channels} channels, '
                f'datasets[{i}] of {part.channels}; expected the same in all: a network takes one '
                'number.'
            )
    return parts[0].channels


def _common_classes(parts: Sequence[ImageDataset]) -> tuple[str, ...]:
    named = [(i, part) for i, part in enumerate(parts) if part.classes]
    for i, part in named[1:]:
        first, names = named[0]
        check_same_names(names.classes, part.classes, f'datasets[{first}]', f'datasets[{i}]')
    for i, part in enumerate(parts):
        if named and not part.classes and (part.labels >= 0).any():
            raise ValueError(
                f'datasets[{i}] of ConcatDataset has labels but no names of classes, '
                f'datasets[{named[0][0]}] has both; expected names in all, or labels of -1.'
            )
    return named[0][1].classes if named else ()
