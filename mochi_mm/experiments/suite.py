"""Sweep as data: settings, seeds, budget, measures, and the sentences about the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mochi_mm.experiments.figures import Figure, Values
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import Measure
from mochi_mm.experiments.setting import Setting
from mochi_mm.visualization.sweep_curves import Panel


@dataclass(frozen=True)
class RecordPlan:
    """Content of one record of a setting.

    Attributes:
        file: Name of the file, with ``{data}`` and ``{setting}`` in it.
        protocol: Protocol of the measurement, in words.
        keys: The values in it.
    """

    file: str
    protocol: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """A sweep as data; a file of :mod:`mochi_mm.experiments.suites` holds one as ``SUITE``.

    Attributes:
        title: Title over its tables.
        epochs: Number of epochs of every run, but for settings that train ``longer``.
        measures: Measures of every network at the end of its run.
        figures: Columns of the table.
        settings: Settings that are trained.
        configs: Pattern of names of configs that are settings too, each called by the name of its
            file up to its network.
        configs_data: ``data`` of these.
        options: Changes that every setting makes in its config, before its own options.
        seeds: Each setting is trained with each of them.
        images: Choice of the images that are taken.
        before: Measures of every network before its first step; their figures end in
            ``(untrained)``.
        looks: Number of times that measures which can do so look while the network trains.
        shares: Whether what begins at a ``start_epoch`` begins after the same share of a run as in
            the config.
        num_workers: Loader processes of a run; None leaves the configs'.
        in_memory: Whether the images of every loader are decoded once and held; all have one size.
        device: ``cpu`` or ``cuda``.
        compared: Keys of figures in which settings are compared; the first is the primary one.
        claims: Claims about the differences; a sentence says what the figures say.
        notes: Below the table: what the figures are.
        more: Returns further sentences, from the folder of the sweep, where it may leave pictures,
            and the values of each data set.
        panels: Panels of the picture of learning curves; none for no picture and no reports.
        records: Written of each setting that is finished.
        record_seeds: Least number of seeds for a record.

    Raises:
        ValueError: Two settings of one name, a setting compared with one that is not there, or that
            starts from one that is not trained before it, no figure for a claim or comparison, a
            seed twice.
    """

    title: str
    epochs: int
    measures: Sequence[Measure]
    figures: Sequence[Figure]
    settings: Sequence[Setting] = ()
    configs: str = ''
    configs_data: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    images: Images = field(default_factory=Images)
    before: Sequence[Measure] = ()
    looks: int = 4
    shares: bool = True
    num_workers: int | None = 0
    in_memory: bool = False
    device: str = 'cpu'
    compared: Sequence[str] = ()
    claims: Sequence[Claim] = ()
    notes: str = ''
    more: Callable[[Path, dict[str, Values]], list[str]] | None = None
    panels: Sequence[Panel] = ()
    records: Sequence[RecordPlan] = ()
    record_seeds: int = 3

    def __post_init__(self) -> None:
        by_name = {(s.data, s.name): s for s in self.settings}
        if len(by_name) < len(self.settings):
            raise ValueError(f'{self.title}: two settings have one name; give each its own.')
        for setting in self.settings:
            if setting.against and (setting.data, setting.against) not in by_name:
                raise ValueError(
                    f'{self.title}: {setting.name} is compared with {setting.against!r}, which is '
                    f'none of {", ".join(name for _, name in by_name)}.'
                )
        for i, setting in enumerate(self.settings):
            before = {s.name for s in self.settings[:i] if s.trained}
            if setting.start and setting.start not in before:
                raise ValueError(
                    f'{self.title}: {setting.name} starts from {setting.start!r}; expected a '
                    f'setting that is trained and stands before it: {", ".join(before) or "none"}.'
                )
        figures = {figure.key for figure in self.figures}
        wanted = [*self.compared, *(claim.key for claim in self.claims)]
        if missing := [key for key in wanted if key not in figures]:
            raise ValueError(f'{self.title}: no figure has the key {missing[0]!r}; add one.')
        if len(set(self.seeds)) < len(self.seeds) or self.epochs < 1 or self.looks < 1:
            raise ValueError(
                f'{self.title}: seeds {self.seeds}, epochs {self.epochs}, looks {self.looks}; '
                'expected different seeds, and at least one of each.'
            )

    def epochs_of(self, setting: Setting) -> int:
        """Return the number of epochs that a setting is trained for."""
        return max(1, round(self.epochs * setting.longer))

    def figure(self, key: str) -> Figure:
        """Return the figure of a key."""
        return next(figure for figure in self.figures if figure.key == key)

    def settings_in(self, root: Path) -> list[Setting]:
        """Return the settings, and those that are the configs of a pattern.

        Args:
            root: The repository.

        Raises:
            FileNotFoundError: No config has such a name.
            ValueError: Two settings have one name, so that one would overwrite the other.
        """
        if not self.configs:
            return list(self.settings)
        paths = sorted((root / 'configs').glob(f'*/{self.configs}'))
        if not paths:
            raise FileNotFoundError(f'no config {root / "configs"}/*/{self.configs}.')
        found = []
        for path in paths:
            name, config = path.stem.split('_')[0], path.relative_to(root).as_posix()
            found.append(Setting(name, name, config, self.configs_data))
        by_name: dict[str, Setting] = {}
        for setting in (*self.settings, *found):
            if setting.name in by_name:
                raise ValueError(
                    f'{by_name[setting.name].config} and {setting.config} are both called '
                    f'{setting.name!r} in {self.title!r}; expected names of their own: narrow the '
                    f'pattern {self.configs!r}.'
                )
            by_name[setting.name] = setting
        return list(by_name.values())
