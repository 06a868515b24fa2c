"""Images of a data set that a sweep takes, as lists on the disk and in a config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchvision.datasets.folder import IMG_EXTENSIONS

from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.datasets.path_list import write_paths
from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.datasets.subset import balanced_subset, first_of_each

#: Loader of the images that are classified, and of those that are touched once, at the end; all
#: others see those that are trained on.
QUERIES, FINAL = 'query_dataloader', 'final_dataloader'
_TOTALS = ('total', 'total_queries')


@dataclass(frozen=True)
class Images:
    """Number and choice of the images per class.

    Attributes:
        per_class: Trained on and known to the probes; None for all.
        queries_per_class: Classified; None for all.
        total: Trained on, of all classes together in equal parts, in the place of ``per_class``:
            data sets of different numbers of classes are then equally large.
        total_queries: The same of those that are classified.
        first: Take the first by name, instead of a draw that is the same in every sweep.
        held_out: Cut the queries from the training images, which then lack them. The images of
            ``val`` are not touched: they stay for the test that comes last.
        final_per_class: With ``held_out``, images of ``final_dataloader`` that are cut from the
            training images too, after the queries; None leaves that loader as it is.

    Raises:
        ValueError: Numbers below 1; two that say the same; ``held_out`` without a number of
            queries, or ``final_per_class`` without ``held_out``.
    """

    per_class: int | None = None
    queries_per_class: int | None = None
    first: bool = False
    held_out: bool = False
    final_per_class: int | None = None
    total: int | None = None
    total_queries: int | None = None

    def __post_init__(self) -> None:
        for name in ('per_class', 'queries_per_class', 'final_per_class', *_TOTALS):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f'{name} is {value}; expected at least 1, or None for all.')
        for name, other in zip(_TOTALS, ('per_class', 'queries_per_class'), strict=True):
            if getattr(self, name) is not None and (getattr(self, other) or self.held_out):
                raise ValueError(
                    f'{name} is set and so is {other}, or held_out; expected one way to say how '
                    'many images are taken.'
                )
        if self.held_out and self.queries_per_class is None:
            raise ValueError('held_out is on and queries_per_class is None; say how many.')
        if self.final_per_class is not None and not self.held_out:
            raise ValueError(
                f'final_per_class is {self.final_per_class} and held_out is off; final images are '
                'cut from the training images as the queries are: set held_out=True.'
            )

    def words(self) -> str:
        """Return them in words."""
        many = 'all images' if self.per_class is None else f'{self.per_class} images of each class'
        if self.total is not None:
            many = f'{self.total} images, of each class as many'
        if self.held_out:
            many += f', {self.queries_per_class} others of each class classified'
        if self.final_per_class is not None:
            many += f', {self.final_per_class} kept for the end'
        return many

    def write_lists(self, root: Path, folder: Path) -> None:
        """Write the lists of one data set, where parts of it are taken.

        Args:
            root: The data set, with ``train`` and ``val``.
            folder: Folder of the lists: ``train.txt``, ``query.txt``, ``final.txt``.

        Raises:
            ValueError: A class with fewer images.
        """
        choose = first_of_each if self.first else _drawn
        train, query = folder / 'train.txt', folder / 'query.txt'
        number, queries = self.per_class, self.queries_per_class
        if self.held_out and queries is not None:
            everything = _paths(root / 'train')
            asked = choose(everything, queries)
            others = sorted(set(everything) - set(asked))
            if self.final_per_class is not None:
                last = choose(others, self.final_per_class)
                others = sorted(set(others) - set(last))
                write_paths(folder / 'final.txt', last)
            write_paths(query, asked)
            write_paths(train, others if number is None else choose(others, number))
            return
        if number is not None or self.total is not None:
            everything = _paths(root / 'train')
            write_paths(train, choose(everything, number or _share(everything, self.total)))
        if queries is not None or self.total_queries is not None:
            everything = _paths(root / 'val')
            write_paths(
                query, choose(everything, queries or _share(everything, self.total_queries))
            )

    def set_in(self, config: Any, lists: Path) -> None:
        """Point every loader of a config to its images.

        Args:
            config: A config whose loaders read folders of images, or generate scenes.
            lists: Folder that :meth:`write_lists` was given; unused where scenes are generated.
        """
        for name, loader in loaders_of(config):
            data = source_of(loader)
            data.pop('index_cache', None)  # several runs would write it at once
            if 'num_scenes' in data:
                number = self.per_class if data.get('split') == 'train' else self.queries_per_class
                data.num_scenes = data.num_scenes if number is None else len(KINDS) * number
                continue
            if self._listed(name):
                file = {QUERIES: 'query.txt', FINAL: 'final.txt'}.get(name, 'train.txt')
                data.include = str(lists / file)
                if name in (QUERIES, FINAL) and self.held_out:
                    data.split = 'train'

    def _listed(self, loader: str) -> bool:
        if loader == QUERIES:
            return self.queries_per_class is not None or self.total_queries is not None
        if loader == FINAL:
            return self.final_per_class is not None
        return self.per_class is not None or self.held_out or self.total is not None

    def count(self, config: Any) -> int:
        """Return the number of images a config trains on where a part is taken, else 0."""
        data = source_of(config.train_dataloader)
        if 'num_scenes' in data:
            return 0 if self.per_class is None else int(data.num_scenes)
        if not self._listed('train_dataloader'):
            return 0
        return len(Path(data.include).read_text(encoding='utf-8').splitlines())


def loaders_of(config: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and settings of every data loader of a config, those of its hooks last."""
    for part in (config, *(config.get('custom_hooks') or [])):
        for name in part:
            if name.endswith('_dataloader') and part[name]:
                yield name, part[name]


def source_of(loader: Any) -> Any:
    """Return the settings of a loader's data set; of what it holds, where it only keeps another."""
    data = loader.dataset
    while 'dataset' in data:
        data = data.dataset
    return data


def _share(paths: list[str], total: int | None) -> int:
    """Return how many images of each class make up ``total``."""
    classes = len({path.split('/')[0] for path in paths})
    if not total or total < classes:
        raise ValueError(f'{total} images of {classes} classes; expected at least one of each.')
    return total // classes


def _drawn(paths: list[str], per_class: int) -> list[str]:
    return balanced_subset(paths, per_class, seed=0)


def _paths(folder: Path) -> list[str]:
    return FolderIndex.scan(str(folder), IMG_EXTENSIONS).paths()
