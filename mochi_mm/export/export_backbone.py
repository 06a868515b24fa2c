"""From a checkpoint to a file of another library: written, compared, then put in place."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mochi_mm.export.equality import TOLERANCE, Equality, compare
from mochi_mm.export.source import BackboneSource, read_backbone_source
from mochi_mm.export.target import Target
from mochi_mm.export.targets import TARGETS
from mochi_mm.files.atomic_file import OWNER, SUFFIX, sha256_of, write_atomically
from mochi_mm.files.backbone_file import backbone_metadata


def export_backbone(
    checkpoint: str | Path,
    to: str,
    out: str | Path | None = None,
    encoder: str | None = None,
    licence: str | None = None,
    overwrite: bool = False,
    tolerance: float = TOLERANCE,
) -> tuple[Path, dict[str, Any]]:
    """Export the backbone of a checkpoint; return where it is and what stands beside it.

    The file (a folder for huggingface) is written under another name, read by the library that it
    is for where that is installed, and its features compared with ours; only then does it take its
    name, with ``<name>.json`` beside it. Whatever fails before, nothing is left and what was there
    is untouched.

    Args:
        checkpoint: A checkpoint of this project, or a backbone alone.
        to: One of :data:`TARGETS`.
        out: The file or folder; by default beside the checkpoint.
        encoder: ``query``, or ``key`` for the averaged encoder. None for the one that a backbone
            file holds, and for ``query`` of a checkpoint.
        licence: License of the weights; goes into the metadata as it is. None for what the file
            says.
        overwrite: Replace what is there.
        tolerance: Largest difference allowed, as a share of the largest feature.

    Raises:
        FileNotFoundError: No checkpoint.
        ValueError: An unknown format, one that has no such network or reads no such images, or
            another difference.
        FileExistsError: Something is there.
        ImportError: A package without which the format cannot be written.
    """
    if to not in TARGETS:
        raise ValueError(f'--to is {to!r}; expected one of {", ".join(TARGETS)}.')
    target, source = TARGETS[to], read_backbone_source(checkpoint, encoder)
    _check_order(source, target)
    licence = source.licence if licence is None else licence
    out = Path(out) if out else source.path.with_name(f'{source.path.stem}_{to}{target.suffix}')
    beside = _free_place(out, target, overwrite)
    nearest = next(folder for folder in out.absolute().parents if folder.is_dir())
    scratch = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', suffix=SUFFIX, dir=nearest))
    try:
        (scratch / OWNER).write_text(f'{socket.gethostname()}\n{os.getpid()}\n', encoding='utf-8')
        partial = scratch / out.name
        if not target.suffix:
            partial.mkdir()
        metadata = backbone_metadata(source.record, source.path.name, source.sha256, licence)
        target.write(source, partial, dict(metadata, encoder=source.encoder))
        equality = compare(source, target, partial, tolerance)
        _check(equality, out)
        about = _about(source, target, partial, licence, equality)
        text = json.dumps(about, indent=2) + '\n'
        with _in_place(partial, out, scratch / 'replaced'):
            write_atomically(beside, lambda file: file.write(text.encode()))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return out, about


def _free_place(out: Path, target: Target, overwrite: bool) -> Path:
    """Return the path of the record of an export to ``out``, if both may be written."""
    if out.name in ('', '..'):
        raise ValueError(f'--out is {out}; expected the name of a new file or folder.')
    if target.suffix and out.suffix != target.suffix:
        raise ValueError(f'--out is {out}; expected a name that ends with {target.suffix}.')
    beside = out.with_name(f'{out.name}.json')
    for path in (out, beside):
        if path.exists() and not overwrite:
            raise FileExistsError(f'{path} exists; expected a new name, or pass --overwrite.')
        if path.is_dir() and (target.suffix or path == beside):
            raise FileExistsError(f'{path} is a folder, not an export; expected a new name.')
    return beside


def _check_order(source: BackboneSource, target: Target) -> None:
    """Refuse images of the training that the library would not make; unknown ones are its own."""
    channels = source.channels()
    if channels != 3:
        if target.any_channels:
            return
        able = ', '.join(name for name, one in TARGETS.items() if one.any_channels)
        raise ValueError(
            f'{source.path} takes images of {channels} channel{"s" * (channels != 1)}, and '
            f'{target.name} reads images of 3. Export it with --to {able}.'
        )
    order = source.record.get('channel_order')
    if target.orders is not None and order is not None and order not in target.orders:
        raise ValueError(
            f'{source.path} was trained on images in {order}, and {target.name} reads them in '
            f'{" or ".join(target.orders)}, so its features would mean nothing there. Export it '
            'with --to backbone (read by this project) or --to onnx (which takes images as they '
            'are made for it).'
        )


def _check(equality: Equality, out: Path) -> None:
    if not equality.holds:
        raise ValueError(
            f'the exported network is another function than ours: the features differ by up to '
            f'{equality.max_difference:.3g}, {equality.tolerance * equality.scale:.3g} is allowed '
            f'(checked in {equality.checked_in}). {out} was not written.'
        )


def _about(
    source: BackboneSource, target: Target, path: Path, licence: str, equality: Equality
) -> dict[str, Any]:
    """Return the facts about an export, as plain data."""
    mean, std = source.record.get('mean'), source.record.get('std')
    files = sorted(p for p in ([path] if path.is_file() else path.iterdir()) if p.is_file())
    return dict(
        format=target.name,
        source=source.path.name,
        source_sha256=source.sha256,
        encoder=source.encoder,
        architecture=source.record['backbone'],
        algorithm=source.record.get('algorithm'),
        head=source.record.get('head'),
        channel_order=source.record.get('channel_order'),
        mean_255=mean,
        std_255=std,
        mean_1=None if mean is None else [value / 255 for value in mean],
        std_1=None if std is None else [value / 255 for value in std],
        licence=licence,
        usage=target.usage(source, path.name),
        equality=equality.as_dict(),
        sha256={file.name: sha256_of(file) for file in files},
    )


@contextmanager
def _in_place(partial: Path, out: Path, replaced: Path) -> Iterator[None]:
    """Move ``partial`` to ``out``, and an earlier export aside; undo both if the block fails.

    Raises:
        FileExistsError: A folder that holds anything that no export writes.
    """
    if out.is_dir():
        written = {path.name for path in partial.iterdir()}
        others = sorted(path.name for path in out.iterdir() if path.name not in written)
        if others:
            raise FileExistsError(
                f'{out} holds {others[0]}, which no export writes; expected a new name, or a '
                'folder that an export made.'
            )
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        out.replace(replaced)
    partial.replace(out)
    try:
        yield
    except BaseException:
        out.replace(partial)
        if replaced.exists():
            replaced.replace(out)
        raise
