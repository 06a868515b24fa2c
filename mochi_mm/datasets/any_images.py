"""The images of a folder, or of a pack, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.packed_images import PackedImages
from mochi_mm.datasets.packs.pack_record import FILE
from mochi_mm.datasets.path_list import to_line
from mochi_mm.datasets.read_image import read_image
from mochi_mm.files.inner_path import check_inner
from mochi_mm.registry import nearest


def is_pack(folder: str | Path) -> bool:
    """Return whether a folder is a pack of ``tools/dataset/pack.py``."""
    return (Path(folder).expanduser() / FILE).is_file()


def any_images(
    folder: str | Path,
    pipeline: Sequence[Any] = (),
    exclude: str | Path | None = None,
    **reading: Any,
) -> ImageFolder | PackedImages:
    """Return all images below a folder, at any depth and without labels, or those of a pack.

    Args:
        folder: The folder.
        pipeline: See :class:`~mochi_mm.datasets.base.ImageDataset`.
        exclude: A text file with the paths of images to leave out.
        reading: Further settings of the data set, which say how a file is read.

    Raises:
        FileNotFoundError: No such folder or list.
        ValueError: No image in it; see :class:`ImageFolder` and :class:`PackedImages`.
    """
    kind = PackedImages if is_pack(folder) else ImageFolder
    return kind(folder, classes=[], pipeline=pipeline, exclude=exclude, **reading)


def image_lines(dataset: ImageFolder | PackedImages) -> Iterator[str]:
    """Yield a line for each image that differs where the image does: its state, then its path.

    The state is size and time of the last change of a file, the SHA-256 of a file that was packed.
    Files are not read.
    """
    for index in range(len(dataset)):
        if isinstance(dataset, PackedImages):
            state = dataset.digest(index).hex()
        else:
            found = Path(dataset.path(index)).stat()
            state = f'{found.st_size}-{found.st_mtime_ns}'
        yield f'{state} {to_line(dataset.name(index))}'


def image_reader(folder: str | Path) -> Callable[[str], Image.Image]:
    """Return a function that reads an image below a folder, or of a pack, by its path there.

    Raises:
        FileNotFoundError: No such folder; when called: no such image.
        ValueError: When called: a path that leads out of the folder, or no image.
    """
    root = Path(folder).expanduser()
    if is_pack(root):
        pack = PackedImages(root, classes=[])
        rows = {pack.name(index): index for index in range(len(pack))}
        return lambda name: pack.image(_row(rows, name, root))
    if not root.is_dir():
        raise FileNotFoundError(f'no folder {root}; expected the images that were embedded.')

    def read(name: str) -> Image.Image:
        path = root / check_inner(name, 'the index')
        if not path.is_file():
            raise FileNotFoundError(
                f'no image {name!r} in {root}; expected the folder that was embedded.'
            )
        return read_image(path)

    return read


def _row(rows: dict[str, int], name: str, root: Path) -> int:
    if name not in rows:
        close = ', '.join(nearest(name, rows)) or 'none'
        raise FileNotFoundError(f'no image {name!r} in the pack {root}. Nearest: {close}.')
    return rows[name]
