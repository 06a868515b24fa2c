"""A sweep on the disk: its budget, its runs, and what they left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mochi_mm.experiments.benchmark import write_json
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite
from mochi_mm.files.checkpoint_folder import epochs_saved
from mochi_mm.files.text_file import read_json


@dataclass(frozen=True)
class Sweep:
    """A suite, and where it is done.

    Attributes:
        name: Name of the suite.
        suite: With the budget that every run has.
        root: The repository, where its configs are.
        out: Folder of the sweep, absolute.
        data_root: Folder that holds the data sets, each with ``train`` and ``val``.
    """

    name: str
    suite: Suite
    root: Path
    out: Path
    data_root: Path

    @property
    def budget(self) -> dict[str, Any]:
        """Return the budget, which makes runs comparable."""
        images = self.suite.images
        totals = dict(images=images.total, queries=images.total_queries)
        return dict(
            suite=self.name,
            epochs=self.suite.epochs,
            images_per_class=images.per_class,
            queries_per_class=images.queries_per_class,
            **{name: total for name, total in totals.items() if total is not None},
        )

    @cached_property
    def settings(self) -> list[Setting]:
        """Return the settings that are trained."""
        return self.suite.settings_in(self.root)

    @property
    def data(self) -> list[str]:
        """Return the data sets; an empty name where configs draw their own images."""
        return list(dict.fromkeys(setting.data for setting in self.settings))

    def runs(self, names: Sequence[str], seeds: Sequence[int]) -> list[Run]:
        """Return every run, seed by seed, so that early results compare like with like.

        Args:
            names: Names of settings; none for all.
            seeds: Seeds of each setting.

        Raises:
            ValueError: A setting that the suite has not.
        """
        known = list(dict.fromkeys(setting.name for setting in self.settings))
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f'no setting {unknown[0]!r} in {self.name}: {", ".join(known)}.')
        return list(self._runs(names, seeds))

    def _runs(self, names: Sequence[str], seeds: Sequence[int]) -> Iterator[Run]:
        for data in self.data:
            for seed in seeds:
                for setting in self.settings:
                    if setting.data == data and (not names or setting.name in names):
                        yield Run(self, setting, seed)

    def seeds_on_disk(self) -> set[int]:
        """Return the seeds that an earlier call started."""
        ends = (path.name.removeprefix('seed_') for path in self.out.glob('*/*/seed_*'))
        return {int(end) for end in ends if end.isdecimal()}

    def lists(self, data: str) -> Path:
        """Return the folder with the lists of images of a data set."""
        return self.out / 'lists' / data

    def prepare(self) -> None:
        """Check the data; at the first call write the lists of images and keep the budget.

        Raises:
            FileNotFoundError: A data set is not there.
            ValueError: What is in ``out`` was made with another budget or other data; a
                class that is too small.
        """
        self._check_data()
        plan, wanted = self.out / 'plan.json', self._plan()
        if not plan.is_file():
            for data in filter(None, self.data):
                self.suite.images.write_lists(self.data_root / data, self.lists(data))
            self.out.mkdir(parents=True, exist_ok=True)
            write_json(plan, wanted)  # last: it says that the lists are there
        elif (former := read_json(plan)) != wanted:
            raise ValueError(
                f'{self.out} was made with {former}, this call asks for {wanted}; give the same '
                f'budget and data, or another --out. If the same images have only moved, change '
                f'data_root in {plan}.'
            )

    def _plan(self) -> dict[str, Any]:
        return dict(self.budget, data_root=str(self.data_root.resolve()))

    def _check_data(self) -> None:
        measures = (*self.suite.measures, *self.suite.before)
        others = [data for measure in measures for data in measure.data()]
        wanted = list(dict.fromkeys(filter(None, [*self.data, *others])))
        for data in wanted:
            for split in ('train', 'val'):
                if not (self.data_root / data / split).is_dir():
                    raise FileNotFoundError(
                        f'no folder {self.data_root / data / split}; --data-root is '
                        f'{self.data_root}, expected the folder that holds {", ".join(wanted)}, '
                        'each with train/<class>/ and val/<class>/.'
                    )


@dataclass(frozen=True)
class Run:
    """One setting with one seed."""

    sweep: Sweep
    setting: Setting
    seed: int

    @property
    def data(self) -> str:
        """Return the data set, by a name that a folder can have."""
        return self.setting.data or 'generated'

    @property
    def name(self) -> str:
        """Return its name in logs, tables and on the command line."""
        return f'{self.data} {self.setting.name} seed {self.seed}'

    @property
    def folder(self) -> Path:
        """Return the work dir of the run."""
        return self.sweep.out / self.data / self.setting.name / f'seed_{self.seed}'

    @property
    def epochs(self) -> int:
        """Return the number of epochs that it trains for."""
        return self.sweep.suite.epochs_of(self.setting)

    @property
    def start(self) -> Run | None:
        """Return the run whose last weights this one starts from, if it does."""
        if not self.setting.start:
            return None
        named = [s for s in self.sweep.settings if s.name == self.setting.start]
        setting = next((s for s in named if s.data == self.setting.data), named[0])
        return Run(self.sweep, setting, self.seed)

    @property
    def weights_path(self) -> Path:
        """Return the path of the last checkpoint."""
        return self.folder / f'epoch_{self.epochs}.pth'

    @property
    def result_path(self) -> Path:
        """Return the path of the result, a file once the run is trained and measured."""
        return self.folder / 'result.json'

    @property
    def commits_path(self) -> Path:
        """Return the file with the commit of each start of the run."""
        return self.folder / 'commits.json'

    @property
    def work(self) -> int:
        """Return the amount of work in epochs; measuring counts as one."""
        return self.epochs + 1 if self.setting.trained else 1

    def done(self) -> int:
        """Return the amount of work that is on the disk."""
        return self.work if self.result_path.is_file() else epochs_saved(self.folder)

    def result(self) -> dict[str, Any] | None:
        """Return the result of the run, None if it is not finished."""
        if not self.result_path.is_file():
            return None
        return dict(read_json(self.result_path))
