"""Images in a folder, with or without class folders."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torchvision.datasets.folder import IMG_EXTENSIONS

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.class_folders import class_names, tell_left_out
from mochi_mm.datasets.class_list import read_class_list
from mochi_mm.datasets.file_fingerprint import file_fingerprint
from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.index_cache import load_index
from mochi_mm.datasets.path_list import read_paths
from mochi_mm.datasets.path_table import PathTable
from mochi_mm.datasets.transforms import Compose
from mochi_mm.registry import DATASETS, nearest


@DATASETS.register_module()
class ImageFolder(ImageDataset):
    """All images below a folder, at any depth; no list file is needed.

    The sub-folders of the root are the classes, and label i is the i-th of their names **in sorted
    order**; one without images is an error, since without it all labels behind it would move.
    Images that lie in the root itself, where no sub-folder holds any, have no label (-1). Links are
    followed. Names that begin with a dot, and files with other endings, are passed over.

    Args:
        data_root: The folder.
        split: Sub-folder of ``data_root`` to use, such as 'train'.
        classes: Restricts the data set to these class folders: a list of names, the path of a text
            file with one folder name per line, or the name of a shipped list ('imagenet100').
            Labels follow the sorted names here too: line i of the file is *not* label i. Files in
            the root itself are then left out. An empty list means no classes: every image
            at any depth is taken, with label -1.
        pipeline: See :class:`ImageDataset`.
        index_cache: A JSON file that keeps the list of files between runs, for instance
            'work_dirs/index/imagenet_train.json'. It is made anew when a directory has changed,
            for which only directories are looked at. None: list the folder at every start.
        extensions: Endings of image files, upper or lower case.
        exclude: A text file with the paths of images to leave out, one per line, relative to
            ``data_root``/``split``, as ``tools/dataset/check.py`` writes it. A line that begins
            with a quotation mark is a JSON string, for names with line breaks and the like. A
            line that names no image is an error, unless it lies in a folder that ``classes``
            leaves out.
        include: A text file with the only paths to take, one per line, relative likewise, as
            ``tools/dataset/make_subset.py`` writes it. Labels stay those of the whole folder.
        channels: Number of channels of every file, for images that are no RGB photographs; they are
            then taken as they are (:func:`mochi_mm.datasets.read_channels.read_channels`). None
            reads photographs, which all become 8-bit RGB.
        bits: Of each number in a file, 8 to 16; with ``channels``.

    Raises:
        FileNotFoundError: The folder, or a class list, does not exist.
        ValueError: No images, images both in the root and in class folders, class folders
            that look like splits, a class without a folder or images or behind a link to nowhere,
            an ``exclude`` or ``include`` list with a path that is no image, no image among the
            first few that can be decoded, other channels or bits than the first one has, or a
            transform that such images do not have.
    """

    def __init__(
        self,
        data_root: str | Path,
        split: str = '',
        classes: str | Path | Sequence[str] | None = None,
        pipeline: Sequence[Any] = (),
        index_cache: str | Path | None = None,
        extensions: Sequence[str] = IMG_EXTENSIONS,
        exclude: str | Path | None = None,
        include: str | Path | None = None,
        channels: int | None = None,
        bits: int = 8,
    ) -> None:
        super().__init__(pipeline)
        self.reader = ImageReader(channels, bits)
        self.channels = self.reader.channels
        self.pipeline.check_channels(self.channels)
        self.root = _existing_folder(data_root, split)
        self.extensions = _endings(extensions)
        names = None if classes is None else read_class_list(classes)
        if names:
            _check_folders(self.root, names)
        index = load_index(self.root, self.extensions, names or None, index_cache)
        _check_found(index)
        if names is None or names:
            self.classes = class_names(index, names)
        tell_left_out(index)
        files = _only(_without(index, exclude), include)
        self._paths = PathTable(f'{folder}/{name}' if folder else name for folder, name in files)
        owners = [folder.split('/', 1)[0] for folder, _ in files]
        labels = {name: label for label, name in enumerate(self.classes)}
        self._tell_gone(set(owners))
        self.labels = np.array([labels.get(owner, -1) for owner in owners], dtype=np.int64)
        self.pipeline.check_paths(self._paths)
        self.try_first()
        print_log(
            f'{len(self)} images of {len(self.classes)} classes in {self.root}', logger='current'
        )

    def _tell_gone(self, left: set[str]) -> None:
        gone = [name for name in self.classes if name not in left]
        if gone:
            print_log(
                f'{len(gone)} of {len(self.classes)} classes in {self.root} have no image left, by '
                f'exclude or include: {", ".join(gone[:5])}',
                'current',
                logging.WARNING,
            )

    def check_pipeline(self, pipeline: Compose) -> None:
        """Refuse transforms that these images do not have, or lack a file of one of them."""
        super().check_pipeline(pipeline)
        pipeline.check_paths(self._paths)

    def path(self, index: int) -> str:
        """Return the path of image ``index``."""
        return f'{self.root}/{self._paths[index]}'

    def name(self, index: int) -> str:
        """Return the path of image ``index`` below the folder, as lists of images name it."""
        return self._paths[index]

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of all files, in the order of the samples."""
        return self.fingerprint_of(range(len(self)))

    def fingerprint_of(self, indices: Iterable[int]) -> str:
        """Return the same of some of the samples."""
        return file_fingerprint(self.root, (self._paths[int(i)] for i in indices))

    def image(self, index: int) -> Any:
        """Return image ``index``; raises ``ValueError`` naming a file that cannot be read."""
        return self.reader.image(self.path(index))

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline; undecoded where its first transform decodes."""
        if not self.pipeline.takes_files:
            return dict(super().sample(index), img_path=self._paths[index])
        source = self.reader.source(self.path(index))
        return dict(source=source, gt_label=int(self.labels[index]), sample_idx=int(index))


def _without(index: FolderIndex, exclude: str | Path | None) -> list[tuple[str, str]]:
    """Return the files (folder, name) of an index without those listed in the file ``exclude``."""
    files = list(index.files())
    if exclude is None:
        return files
    if not Path(exclude).expanduser().is_file():
        raise FileNotFoundError(
            f'exclude names {str(exclude)!r}, which is no file; expected a text file with one path '
            'a line, such as tools/dataset/check.py writes.'
        )
    listed = read_paths(exclude)
    kept = [(f, name) for f, name in files if (f'{f}/{name}' if f else name) not in listed]
    unmatched = listed - set(index.paths()) - set(index.broken_links)
    unmatched = {path for path in unmatched if not _left_out(index, path)}
    if unmatched:
        some = ', '.join(map(repr, sorted(unmatched)[:5]))
        raise ValueError(
            f'{len(unmatched)} of the {len(listed)} lines of {str(exclude)!r} name no image in '
            f'{index.root}: {some}{", ..." if len(unmatched) > 5 else ""}; expected paths relative '
            'to data_root/split, as they are spelled there. Correct these lines, or remove them.'
        )
    if not kept:
        raise ValueError(f'{str(exclude)!r} leaves out every image.')
    print_log(f'{len(files) - len(kept)} images are left out by {exclude}', logger='current')
    return kept


def _left_out(index: FolderIndex, path: str) -> bool:
    """Return whether a path lies in a folder that the selection of classes leaves out."""
    top, slash, _ = path.partition('/')
    if index.selected is None or not slash or top in (*index.selected, '', '..'):
        return False
    return os.path.lexists(os.path.join(index.root, path))


def _only(files: list[tuple[str, str]], include: str | Path | None) -> list[tuple[str, str]]:
    """Return those of ``files`` (folder, name) that the file ``include`` lists."""
    if include is None:
        return files
    path = Path(include).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'no list {str(include)!r}; make one with tools/dataset/make_subset.py.'
        )
    listed = read_paths(path)
    kept = [(f, name) for f, name in files if (f'{f}/{name}' if f else name) in listed]
    if len(kept) != len(listed) or not kept:
        unknown = listed - {f'{f}/{name}' if f else name for f, name in kept}
        raise ValueError(
            f'{len(unknown)} of the {len(listed)} paths in {str(include)!r} are none of the '
            f'images, such as {min(unknown, default="")!r}; expected paths relative to '
            'data_root/split, like those that tools/dataset/make_subset.py writes for this folder.'
        )
    print_log(f'{len(kept)} of {len(files)} images are taken, by {include}', logger='current')
    return kept


def _existing_folder(data_root: str | Path, split: str) -> str:
    base = Path(data_root).expanduser()
    root = base / split
    if root.is_dir():
        return str(root.absolute())
    if root.exists():
        raise ValueError(f'{str(root)!r} is a file; ImageFolder takes a folder of images')
    if not base.is_dir():
        raise FileNotFoundError(
            f'no folder {str(base)!r} (from {Path.cwd()}). Put the images there, or set '
            'data_root to where they are.'
        )
    folders = sorted(path.name for path in base.iterdir() if path.is_dir())
    raise FileNotFoundError(
        f'no folder {split!r} in {str(base)!r}. Set split to one of its folders: '
        f'{", ".join(folders[:10]) or "it has none, so leave split out"}.'
    )


def _endings(extensions: Sequence[str]) -> tuple[str, ...]:
    valid = not isinstance(extensions, str) and all(
        isinstance(ending, str) and ending.startswith('.') for ending in extensions
    )
    if not valid or not extensions:
        raise ValueError(f"extensions must be a list like ['.jpg', '.png'], got {extensions!r}")
    return tuple(ending.lower() for ending in extensions)


def _check_folders(root: str, names: Sequence[str]) -> None:
    folders = {path.name for path in Path(root).iterdir() if path.is_dir()}
    missing = [name for name in names if name not in folders]
    if not missing:
        return
    close = nearest(missing[0], folders)
    raise ValueError(
        f'{len(missing)} of {len(names)} listed classes have no folder in {root}: '
        f'{", ".join(missing[:5])}. Nearest to {missing[0]!r}: {", ".join(close) or "none"}.'
    )


def _check_found(index: FolderIndex) -> None:
    if not len(index):
        broken = index.broken_links
        lost = f', and {len(broken)} links to nowhere, such as {broken[0]!r}' if broken else ''
        others = ', '.join(f'{count} x {ending}' for ending, count in index.other.most_common(5))
        raise ValueError(
            f'no images in {index.root}. Looked for {", ".join(index.extensions)} in '
            f'{len(index.listings)} folders; found {others or "no files at all"}{lost}. '
            'Set data_root (or split) to where the images are, or extensions to their endings.'
        )
