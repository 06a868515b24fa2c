"""A sweep on the disk: its budget, its runs, and what they left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.suites import SUITES, Setting
from mochi_mm.files.checkpoint_folder import epochs_saved
from mochi_mm.files.text_file import read_json


@dataclass(frozen=True)
class Sweep:
    """Where a sweep lies and what every run of it has in common.

    Attributes:
        suite: A name in :data:`SUITES`.
        out: Folder of the sweep, absolute.
        data_root: Folder that holds the data sets, each with ``train`` and ``val``.
        epochs: Of every run.
        images_per_class: Trained on, and voting in the kNN; None for all.
    """

    suite: str
    out: Path
    data_root: Path
    epochs: int
    images_per_class: int | None

    @property
    def budget(self) -> dict[str, Any]:
        """What makes runs comparable."""
        return dict(suite=self.suite, epochs=self.epochs, images_per_class=self.images_per_class)

    def settings(self, data: str) -> list[Setting]:
        """Return what is trained on one data set."""
        return SUITES[self.suite].data[data]

    def runs(self, names: Sequence[str], seeds: Sequence[int]) -> Iterator[Run]:
        """Return every run, seed by seed, so that early results compare like with like."""
        for data in SUITES[self.suite].data:
            for seed in seeds:
                for setting in self.settings(data):
                    if not names or setting.name in names:
                        yield Run(self, data, setting, seed)

    def seeds_on_disk(self) -> set[int]:
        """Return the seeds that an earlier call started."""
        ends = (path.name.removeprefix('seed_') for path in self.out.glob('*/*/seed_*'))
        return {int(end) for end in ends if end.isdecimal()}

    def subset_list(self, data: str) -> Path | None:
        """Return the file with the training images, None where all are taken."""
        if self.images_per_class is None:
            return None
        return self.out / 'lists' / f'{data}_{self.images_per_class}.txt'

    def prepare(self) -> None:
        """Check the data, keep the budget, write the lists of images.

        Raises:
            FileNotFoundError: A data set is not there.
            ValueError: What is in ``out`` was made with another budget or other data; a
                class that is too small.
        """
        for data in SUITES[self.suite].data:
            for split in ('train', 'val'):
                if not (self.data_root / data / split).is_dir():
                    raise FileNotFoundError(
                        f'no folder {self.data_root / data / split}; --data-root is '
                        f'{self.data_root}, expected the folder that holds '
                        f'{", ".join(SUITES[self.suite].data)}, each with train/<class>/ and '
                        'val/<class>/.'
                    )
        plan, wanted = self.out / 'plan.json', self._plan()
        former = read_json(plan) if plan.is_file() else {}
        # An earlier version did not write the data root down.
        if former and {'data_root': wanted['data_root'], **former} != wanted:
            raise ValueError(
                f'{self.out} was made with {former}, this call asks for {wanted}; give the same '
                f'budget and data, or another --out. If the same images have only moved, change '
                f'data_root in {plan}.'
            )
        self.out.mkdir(parents=True, exist_ok=True)
        write_json(plan, wanted)
        for data in SUITES[self.suite].data:
            self._write_list(data)

    def _plan(self) -> dict[str, Any]:
        return dict(self.budget, data_root=str(self.data_root.resolve()))

    def _write_list(self, data: str) -> None:
        from torchvision.datasets.folder import IMG_EXTENSIONS

        from mochi_mm.datasets.folder_index import FolderIndex
        from mochi_mm.datasets.path_list import write_paths
        from mochi_mm.datasets.subset import balanced_subset

        target = self.subset_list(data)
        if target is None or target.is_file() or self.images_per_class is None:
            return
        index = FolderIndex.scan(str(self.data_root / data / 'train'), IMG_EXTENSIONS)
        write_paths(target, balanced_subset(index.paths(), self.images_per_class, seed=0))


@dataclass(frozen=True)
class Run:
    """One setting with one seed."""

    sweep: Sweep
    data: str
    setting: Setting
    seed: int

    @property
    def name(self) -> str:
        """What it is called in logs and tables."""
        return f'{self.data} {self.setting.name} seed {self.seed}'

    @property
    def folder(self) -> Path:
        """Its work dir."""
        return self.sweep.out / self.data / self.setting.name / f'seed_{self.seed}'

    @property
    def result_path(self) -> Path:
        """There once the run is trained and measured."""
        return self.folder / 'result.json'

    @property
    def commits_path(self) -> Path:
        """The commit of each start of it."""
        return self.folder / 'commits.json'

    @property
    def work(self) -> int:
        """How much it is, in epochs; measuring counts as one."""
        return 1 if self.setting.role == 'untrained' else self.sweep.epochs + 1

    def done(self) -> int:
        """Return how much of the work is on the disk."""
        return self.work if self.result_path.is_file() else epochs_saved(self.folder)

    def result(self) -> dict[str, Any] | None:
        """Return what was measured, None if it is not finished."""
        if not self.result_path.is_file():
            return None
        return dict(read_json(self.result_path))
