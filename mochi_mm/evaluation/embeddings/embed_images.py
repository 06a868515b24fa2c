"""Embeddings of any images, shard by shard, so that a kill costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from mochi_mm.datasets.any_images import image_lines
from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.packed_images import PackedImages
from mochi_mm.datasets.packs.told import told
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.evaluation.embeddings.embedding_file import (
    Block,
    check_suffix,
    read_about,
    write_embeddings,
)
from mochi_mm.evaluation.embeddings.embedding_plan import make_plan
from mochi_mm.evaluation.embeddings.partial_embeddings import PartialEmbeddings, Shard
from mochi_mm.evaluation.encoder import Encoder, stack_views, the_view
from mochi_mm.files.shown import shown_path
from mochi_mm.utils.checks import check_integer

#: One image: its number, its embedding or None, and why it could not be read.
Row = tuple[int, Tensor | None, str]


@dataclass(frozen=True)
class EmbedSettings:
    """Say how embeddings are made.

    Attributes:
        batch_size: Images of a batch.
        workers: Processes that read images; 0 reads them in this one.
        device: Device that computes.
        skip_unreadable: Leave out images that cannot be read and name them, where otherwise the
            first is an error.
    """

    batch_size: int = 64
    workers: int = 0
    device: str = 'cpu'
    skip_unreadable: bool = False


def embed_images(
    encoder: Encoder,
    dataset: ImageFolder | PackedImages,
    out: str | Path,
    settings: EmbedSettings,
    tell: Callable[[str], object] = print,
) -> tuple[int, list[str]]:
    """Write the embeddings of all images to one file, and return how many and which are left out.

    The bytes depend on the images, the encoder, batch size, kind of device and version of torch
    alone, not on the number of workers, nor on where a kill stopped an earlier start. Memory does
    not grow with the number of images, but for their paths.

    Args:
        encoder: Network and transforms; the data set has the same transforms.
        dataset: The images.
        out: ``.npz`` or ``.parquet``; it must not exist. Until it is whole, finished shards lie in
            ``OUT.partial``.
        settings: How.
        tell: Called with lines about the progress.

    Raises:
        ValueError: The file exists, has another ending, or other embeddings were begun; an image
            cannot be read or has another size.
        ImportError: A Parquet file without pyarrow.
        OSError: The disk is full; the same call goes on.
    """
    path = Path(out).expanduser().absolute()
    check_suffix(path)
    check_integer('batch_size', settings.batch_size, 64)
    check_integer('workers', settings.workers, 2, least=0)
    _check_names(dataset)
    plan = make_plan(encoder, image_lines(dataset), settings.batch_size, settings.device)
    partial = PartialEmbeddings(path, plan, lambda: image_lines(dataset))
    about = read_about(path) if path.is_file() else None
    whole = isinstance(about, dict) and {k: about.get(k) for k in plan} == plan
    if whole and partial.folder.is_dir():  # killed between the last two steps
        partial.clear()
        tell(f'{path} is whole')
        return len(dataset) - len(about['skipped']), list(about['skipped'])  # type: ignore[index]
    if path.exists():
        raise ValueError(
            f'{shown_path(path)} exists; expected a new file for --out. Delete it, or take another '
            'name.'
        )
    try:
        with partial.opened():
            _write_shards(encoder, dataset, partial, settings, tell)
            found = _join(partial, dataset)
            partial.clear()
    except OSError as error:
        raise OSError(
            f'{partial.folder} or {path} cannot be written or an image not be read: {error}. '
            f'Nothing is at {path}; mend that, and give the same command: it goes on.'
        ) from error
    return found


def _check_names(dataset: ImageFolder | PackedImages) -> None:
    for index in range(len(dataset)):
        name = dataset.name(index)
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    f'the path {name!a} is no UTF-8, and files of embeddings hold text; rename it, '
                    'or move it out of the folder.'
                ) from None


def _write_shards(
    encoder: Encoder,
    dataset: ImageFolder | PackedImages,
    partial: PartialEmbeddings,
    settings: EmbedSettings,
    tell: Callable[[str], object],
) -> None:
    shards = partial.shards
    missing = [number for number in range(len(shards)) if not partial.has(number)]
    if len(missing) < len(shards):
        tell(f'{len(shards) - len(missing)} of {len(shards)} shards are there')
    total = sum(len(shards[number]) for number in missing)
    rows = _rows(encoder, dataset, [shards[number] for number in missing], settings)
    rows = told(rows, total, 'images', tell)
    for number in missing:
        found = list(islice(rows, len(shards[number])))
        kept = [(row, feature) for row, feature, _ in found if feature is not None]
        skipped = {row: why for row, feature, why in found if feature is None}
        for row, why in skipped.items():
            tell(f'left out: {dataset.name(row)!a}: {why}')
        width = len(kept[0][1]) if kept else 0
        features = torch.stack([f for _, f in kept]) if kept else torch.zeros(0, width)
        numbers = torch.tensor([row for row, _ in kept], dtype=torch.int64)
        partial.write(number, Shard(numbers, features, skipped))


def _rows(
    encoder: Encoder, dataset: Any, shards: Sequence[range], settings: EmbedSettings
) -> Iterator[Row]:
    """Yield the images of some shards in order, embedded batch by batch."""
    model = encoder.model.to(settings.device)
    loader: DataLoader = DataLoader(
        _Tried(dataset, settings.skip_unreadable),
        batch_sampler=_ShardBatches(shards, settings.batch_size),
        num_workers=settings.workers,
        collate_fn=_collated,
        pin_memory=next(model.parameters()).is_cuda,
    )
    for numbers, views, faults in loader:
        features = iter(encoder.encode(views) if views is not None else ())
        for number in numbers:
            why = faults.get(number, '')
            yield number, None if why else next(features), why


class _ShardBatches(Sampler[list[int]]):
    """Batches that end where a shard ends, so that a shard is the same wherever a start began."""

    def __init__(self, shards: Sequence[range], batch_size: int) -> None:
        self.shards, self.batch_size = shards, batch_size

    def __iter__(self) -> Iterator[list[int]]:
        for shard in self.shards:
            for start in range(0, len(shard), self.batch_size):
                yield list(shard[start : start + self.batch_size])

    def __len__(self) -> int:
        return sum(-(-len(shard) // self.batch_size) for shard in self.shards)


class _Tried(Dataset):
    """The view of each image, or why it cannot be read."""

    def __init__(self, dataset: Any, skip: bool) -> None:
        self.dataset, self.skip = dataset, skip

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[int, Tensor | None, str]:
        try:
            return index, the_view(self.dataset[index]), ''
        except UnreadableImage as error:
            if self.skip:
                return index, None, str(error)
            raise UnreadableImage(
                f'{error} Or give the same command with --skip-unreadable, which goes on without '
                'such images and names them.'
            ) from error


def _collated(batch: list[Row]) -> tuple[list[int], Tensor | None, dict[int, str]]:
    views = [view for _, view, _ in batch if view is not None]
    faults = {number: why for number, view, why in batch if view is None}
    return [number for number, _, _ in batch], stack_views(views) if views else None, faults


def _join(partial: PartialEmbeddings, dataset: ImageFolder | PackedImages) -> tuple[int, list[str]]:
    """Write the file from its shards."""
    count = width = longest = 0
    skipped: list[str] = []
    for number in range(len(partial.shards)):
        shard = partial.read(number)
        names = [dataset.name(row) for row in shard.rows.tolist()]
        count, width = count + len(names), max(width, shard.features.shape[1])
        longest = max(longest, *map(len, names)) if names else longest
        skipped += [dataset.name(row) for row in sorted(shard.skipped)]
    if not count:
        raise ValueError(
            f'none of the {len(skipped)} images can be read, such as {skipped[0]!a}; expected a '
            'folder of images.'
        )
    about = dict(partial.plan, skipped=skipped)
    blocks = _Blocks(partial, dataset, width)
    write_embeddings(partial.out, blocks, count, width, longest, about)
    return count, skipped


class _Blocks:
    """The finished shards as blocks of a file, read one by one, as often as asked."""

    def __init__(self, partial: PartialEmbeddings, dataset: Any, width: int) -> None:
        self.partial, self.dataset, self.width = partial, dataset, width

    def __iter__(self) -> Iterator[Block]:
        for number in range(len(self.partial.shards)):
            shard = self.partial.read(number)
            if len(shard.rows):
                names = [self.dataset.name(row) for row in shard.rows.tolist()]
                yield names, np.asarray(shard.features.numpy())
