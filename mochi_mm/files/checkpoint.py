"""Checkpoint files as data: tensors, numbers, strings; never code."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.files.archive import check_archive
from mochi_mm.files.plain_tensors import check_tensors
from mochi_mm.files.regular_file import open_regular
from mochi_mm.files.safetensors_file import SUFFIX, as_checkpoint, read_safetensors
from mochi_mm.files.shown import shown_path
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.utils.class_names import check_same_names, names_in


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the content of ``path`` on the CPU, read with ``weights_only=True`` and no fallback.

    What other libraries have put on torch's list of allowed objects is not allowed here: a file
    that stays within such a list can still run code. A ``.safetensors`` file is returned in the
    same layout: ``state_dict``, and ``meta`` where it records what its weights were trained with.

    Raises:
        FileNotFoundError: No such file.
        ValueError: An address; not a checkpoint, torn, or holding objects other than data, of which
            it names the first.
    """
    path = local_path(path)
    if path.is_dir():
        raise FileNotFoundError(f'{path} is a folder; expected one of the checkpoints in it.')
    if path.suffix == SUFFIX:
        content = as_checkpoint(*read_safetensors(path))
    else:
        content = _loaded(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}; expected a dict of tensors.')
    check_tensors(content, path)
    return content


def _loaded(path: Path) -> Any:
    """Return what torch reads from a file that unpacks to no more than it is."""
    try:
        file = open_regular(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'no checkpoint at {path}; expected a .pth file of a training run.'
        ) from error
    with file:
        try:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    check_archive(archive, path)
            file.seek(0)
            with _nothing_else_allowed():
                return torch.load(file, map_location='cpu', weights_only=True)
        except Exception as error:  # damage shows as any kind of error; all mean the same
            raise ValueError(_refusal(path, error)) from error


@contextmanager
def _nothing_else_allowed() -> Iterator[None]:
    added = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        yield
    finally:
        torch.serialization.add_safe_globals(added)


def _refusal(path: Path, error: Exception) -> str:
    """Say what was refused and what to do about it."""
    found = re.search(r'GLOBAL (\S+)', str(error))
    if found is None and not isinstance(error, pickle.UnpicklingError):
        return (
            f'{path} cannot be read as a checkpoint: {type(error).__name__}: '
            f'{str(error).splitlines()[0] if str(error) else "no reason given"}. The file is torn '
            'or no checkpoint; restore it.'
        )
    what = f'it holds {found.group(1)}' if found else 'it holds more than plain data'
    return (
        f'{path} cannot be read as a checkpoint: {what}. Only tensors, numbers and strings are '
        'read; objects of any other kind are refused because reading them can run code. If you '
        'trust where the file comes from, convert it: python tools/converters/trust.py '
        f'{path} NEW.pth'
    )


def local_path(name: str | Path) -> Path:
    """Return ``name`` as a path, ``~`` being the home.

    Raises:
        ValueError: An address; nothing is fetched behind the user's back.
    """
    if re.match(r'\w+:/', str(name)):  # a Path has lost one of the two strokes
        raise ValueError(
            f'{name} is an address; expected the path of a local file. Download it first, and '
            'check what you got.'
        )
    return Path(name).expanduser()


def state_dict_of(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, whether bare or under ``state_dict``."""
    tensors = content.get('state_dict', content)
    found = tensors.items() if isinstance(tensors, Mapping) else ()
    return {n: value for n, value in found if isinstance(n, str) and isinstance(value, Tensor)}


def match_keys(
    wanted: Mapping[str, Tensor], found: Mapping[str, Any], source: str
) -> tuple[list[str], list[str]]:
    """Return the names that are missing from ``found`` and those that are unused.

    Raises:
        ValueError: Not a single name in common, or a shape that differs.
    """
    shared = [name for name in wanted if name in found]
    if not shared:
        raise ValueError(
            f'no weight of {source} fits the model: it has {some(found)}, the model wants '
            f'{some(wanted)}. Expected a checkpoint of the same architecture.'
        )
    wrong = [name for name in shared if wanted[name].shape != found[name].shape]
    if wrong:
        name = wrong[0]
        raise ValueError(
            f'{len(wrong)} weights of {source} have another shape, first {name}: '
            f'{tuple(found[name].shape)} in the file, {tuple(wanted[name].shape)} in the model. '
            'Expected the same depth and width.'
        )
    return [n for n in wanted if n not in found], [n for n in found if n not in wanted]


def load_backbone(model: nn.Module, path: str | Path) -> str:
    """Load the backbone's weights from a checkpoint of this project and return a report.

    Args:
        model: A model with a ``backbone``, or a backbone.
        path: A checkpoint whose keys start with ``backbone.``, or bare backbone weights.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file does not cover every weight of the backbone, in the right shape, or
            holds one that is not finite.
    """
    backbone: Any = getattr(model, 'backbone', model)
    tensors = state_dict_of(read_checkpoint(path))
    prefix = 'backbone.'
    if any(name.startswith(prefix) for name in tensors):
        found = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
    else:
        found = tensors
    wanted = backbone.state_dict()
    missing, unused = match_keys(wanted, found, str(path))
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of {len(wanted)} backbone weights: {some(missing)}. '
            'Expected a checkpoint of the same backbone.'
        )
    check_weights(found, wanted, str(path))
    backbone.load_state_dict({name: found[name] for name in wanted})
    return (
        f'backbone loaded from {path}: {len(wanted)} of {len(wanted)} weights matched, '
        f'{len(unused)} in the file not used{": " + some(unused) if unused else ""}'
    )


def load_for_test(model: nn.Module, path: str | Path, classes: Sequence[str] = ()) -> str:
    """Load what testing needs: every weight, or the backbone if that is all the model has.

    Args:
        model: A model, or its data-parallel wrapper.
        path: A checkpoint of this project.
        classes: Names of the classes of the test images, compared with those that a head was
            trained on, which the checkpoint holds; none where they are not known.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A weight of the model is missing or has another shape, or the head was trained
            on other classes.
    """
    model = getattr(model, 'module', model)
    if all(name.startswith('backbone.') for name in model.state_dict()):
        return load_backbone(model, path)
    checkpoint = read_checkpoint(path)
    tensors = state_dict_of(checkpoint)
    missing, unused = match_keys(model.state_dict(), tensors, str(path))
    if missing and all(name.startswith('head.') for name in missing):
        raise ValueError(
            f'{path} has no trained head: it lacks {some(missing)}, so its accuracy would be that '
            'of chance. Train the probe first (tools/train.py CONFIG --cfg-options '
            f'pretrained={path}) and test the checkpoint of the probe.'
        )
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} weights of the model: {some(missing)}. Expected a '
            'checkpoint of the same config; a probe is tested with the checkpoint of the probe.'
        )
    meta = checkpoint.get('meta')
    trained = names_in(meta.get('dataset_meta') if isinstance(meta, Mapping) else None)
    check_same_names(trained, classes, 'training', 'test')
    check_weights(tensors, model.state_dict(), str(path))
    model.load_state_dict(tensors, strict=not unused)
    return f'{len(tensors) - len(unused)} weights loaded from {path}, {len(unused)} not used'


def some(names: Any, count: int = 3) -> str:
    """Return the first few of ``names`` as text, and how many more there are."""
    listed = [shown_path(name)[:200] for name in names]
    more = f' and {len(listed) - count} more' if len(listed) > count else ''
    return ', '.join(listed[:count]) + more
