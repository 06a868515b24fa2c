"""Embeddings that are being made, beside the file that they become."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.evaluation.embeddings.embedding_plan import (
    SHARD_IMAGES,
    image_changes,
    plan_changes,
)
from mochi_mm.files.atomic_file import SUFFIX, sweep, write_atomically
from mochi_mm.files.json_text import MAX_RECORD, parse_json, read_json_file
from mochi_mm.files.run_lock import FILE as LOCK
from mochi_mm.files.run_lock import RunLock
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.files.shown import shown_path
from mochi_mm.files.text_file import read_text

_PLAN, _IMAGES, _SHARD = 'plan.json', 'images.txt', 'shard-{:05}.safetensors'
_WORDS = (
    '{folder} is where another process writes embeddings ({who}); two would write the same files. '
    'Expected that one ended first, or another --out.'
)


@dataclass(frozen=True)
class Shard:
    """Embeddings of some consecutive images.

    Attributes:
        rows: (n,) int64, the numbers of the images.
        features: (n, C) float32.
        skipped: Why an image of these could not be read, by its number.
    """

    rows: Tensor
    features: Tensor
    skipped: dict[int, str]


class PartialEmbeddings:
    """Keep finished shards in ``OUT.partial``, so that a later start goes on behind them.

    ``plan.json`` says what decides every byte, ``images.txt`` which images there were: another
    plan is refused with what changed. A lock keeps a second process out.

    Args:
        out: The file that they become.
        plan: See :func:`~mochi_mm.evaluation.embeddings.embedding_plan.make_plan`.
        lines: Called for the lines of the images that the plan was made of.

    Raises:
        ValueError: When opened: another process writes there, something else was begun, or
            something else lies there.
    """

    def __init__(
        self, out: Path, plan: Mapping[str, Any], lines: Callable[[], Iterable[str]]
    ) -> None:
        self.out = out
        self.folder = out.with_name(out.name + SUFFIX)
        self.plan, self.lines = dict(plan), lines

    @property
    def shards(self) -> list[range]:
        """Return the numbers of the images of each shard: whole batches, but for the last."""
        batch, count = self.plan['batch_size'], self.plan['count']
        step = batch * max(1, SHARD_IMAGES // batch)
        return [range(start, min(start + step, count)) for start in range(0, count, step)]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Work in the folder, alone; what was begun is kept, and removed where nothing is done."""
        self._check_foreign()
        with RunLock(self.folder, words=_WORDS):
            begun = self._begun()
            if begun is not None:
                self._check(begun)
            try:
                sweep(self.folder)
                if begun is None:
                    self._begin()
                yield
            except BaseException:
                if not any(map(self.has, range(len(self.shards)))):
                    self.clear()
                raise

    def _begin(self) -> None:
        def write_lines(file: Any) -> None:
            for line in self.lines():
                file.write(line.encode('utf-8') + b'\n')

        write_atomically(self.folder / _IMAGES, write_lines)
        text = json.dumps(self.plan, indent=1).encode()
        write_atomically(self.folder / _PLAN, lambda file: file.write(text))

    def has(self, number: int) -> bool:
        """Return whether a shard is there; it is there whole or not at all."""
        return self._path(number).is_file()

    def write(self, number: int, shard: Shard) -> None:
        """Write a shard in one step."""
        tensors = dict(rows=shard.rows, features=shard.features)
        about = {str(row): why for row, why in shard.skipped.items()}
        write_safetensors(self._path(number), tensors, dict(skipped=json.dumps(about)))

    def read(self, number: int) -> Shard:
        """Return a shard.

        Raises:
            ValueError: The file is damaged.
        """
        path, images = self._path(number), self.shards[number]
        tensors, about = read_safetensors(path)
        skipped = parse_json(about.get('skipped', '{}'), shown_path(path))
        rows, features = tensors.get('rows'), tensors.get('features')
        fits = (
            rows is not None
            and features is not None
            and features.dtype == torch.float32
            and features.ndim == 2
            and rows.shape == features.shape[:1]
            and sorted([*rows.tolist(), *map(int, skipped)]) == list(images)
        )
        if rows is None or features is None or not fits:
            raise ValueError(
                f'{shown_path(path)} does not hold the embeddings of images {images.start} to '
                f'{images.stop - 1}; delete it, and give the same command: they are made again.'
            )
        return Shard(rows, features, {int(row): why for row, why in skipped.items()})

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / _SHARD.format(number)

    def _begun(self) -> Any:
        try:
            return read_json_file(self.folder / _PLAN, MAX_RECORD)
        except FileNotFoundError:
            return None

    def _check(self, begun: Any) -> None:
        """Refuse to go on with other input."""
        changes = plan_changes(begun, self.plan)
        if not changes:
            return
        which = ''
        if isinstance(begun, dict) and begun.get('images') != self.plan['images']:
            old = read_text(self.folder / _IMAGES).rstrip('\n').split('\n')
            which = f' ({image_changes(old, self.lines())})'
        raise ValueError(
            f'{shown_path(self.folder)} holds the beginning of other embeddings; changed since: '
            f'{"; ".join(changes)}{which}. Expected the same input as before, which goes on; or '
            'delete that folder, or take another --out, to begin anew.'
        )

    def _check_foreign(self) -> None:
        if not os.path.lexists(self.folder):
            return
        held = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else {'a file'}
        strange = sorted(
            name
            for name in held - {_PLAN, _IMAGES, LOCK}
            if not (name.startswith('shard-') or name.endswith(SUFFIX))
        )
        if strange:
            raise ValueError(
                f'{shown_path(self.folder)} is in the way: it holds {strange[0]!a}, which no '
                'embedding wrote. Move it, or take another --out.'
            )
