"""Turn an old checkpoint that you trust into plain data.

python tools/converters/trust.py OLD NEW.pth

OLD is a checkpoint of torch, a pickle (.pkl, as detectron2 and JAX programs write them, those of
Python 2 included) or a NumPy archive (.npz).

THIS RUNS WHATEVER CODE THE OLD FILE HOLDS. Checkpoints written by other programs may contain any
Python object, and to read such an object is to run code that the author of the file chose. Use it
only on a file whose origin you know, best on a machine that has nothing to lose. What it writes
holds tensors, numbers, strings and containers of them; everything else is left out and named.
Objects of programs that are not installed are taken apart, not made. Arrays become tensors as they
are: the axes of JAX's and TensorFlow's kernels stay in their order.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

_OF_TORCH = 0x1950A86A20F9469CFC6C  # the first thing in torch's files of before 1.6


class Absent:
    """An object whose class is not installed: what the file says of it.

    Args:
        *parts: What its constructor would have been given.
    """

    parts: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *parts: Any, **named: Any) -> Absent:
        """Keep what it would have been made of."""
        made = super().__new__(cls)
        made.parts = (*parts, *named.values())
        return made

    def __init__(self, *parts: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """Keep an item, as of a list."""
        self.parts = (*self.parts, item)

    def extend(self, items: Any) -> None:
        """Keep items, as of a list."""
        self.parts = (*self.parts, *items)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.state = {**(self.state or {}), key: value}


class Unpickler(pickle.Unpickler):
    """Pickle's, which takes apart what is not installed."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the class, or one that keeps what the file says."""
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            return type(name.split('.')[-1], (Absent,), {'__module__': module})


def load(file: Any, **settings: Any) -> Any:
    """Return the first object of a pickle."""
    return Unpickler(file, **settings).load()


def parse_args() -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('old', help='a checkpoint whose origin you know and trust')
    parser.add_argument('new', help='where the plain one goes')
    return parser.parse_args()


def read(path: str) -> Any:
    """Return what a file holds, whoever wrote it; this runs the code in it.

    Raises:
        ValueError: It is none of the kinds that are read, or torn.
    """
    import numpy as np
    import torch

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                arrays = all(name.endswith('.npy') for name in archive.namelist())
            if arrays:
                with np.load(path, allow_pickle=True, encoding='latin1') as found:
                    return {name: found[name] for name in found.files}
        elif not tarfile.is_tarfile(path):
            with open(path, 'rb') as file:
                first = load(file, encoding='latin1')
            if first != _OF_TORCH:
                return first
        settings: dict[str, Any] = dict(encoding='latin1', pickle_module=sys.modules[__name__])
        return torch.load(path, map_location='cpu', weights_only=False, **settings)
    except Exception as error:
        raise ValueError(
            f'{path} cannot be read: {type(error).__name__}: {" ".join(str(error).split())[:200]}. '
            'Expected a checkpoint of torch, a pickle or a NumPy archive, whole.'
        ) from error


def plain(value: Any, where: str, left_out: list[str], above: tuple[int, ...] = ()) -> Any:
    """Return ``value`` as plain data; what has no plain form becomes None and is listed."""
    import numpy as np
    import torch

    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        return value.detach().clone().as_subclass(torch.Tensor)
    if isinstance(value, np.generic) and value.dtype.kind in 'biufSU':
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf' and value.dtype.itemsize < 16:
        return torch.from_numpy(value.astype(value.dtype.newbyteorder('=')))
    if isinstance(value, np.ndarray) and value.dtype.kind == 'O':
        value = value.tolist()  # of no dimension: the object itself
    if id(value) in above:
        left_out.append(f'{where} (leads back to itself)')
        return None
    above = (*above, id(value))
    if isinstance(value, Absent):
        kind = f'{type(value).__module__}.{type(value).__qualname__}'
        left_out.append(f'{where} ({kind}, not installed here; its parts were kept)')
        value = dict(parts=value.parts, state=value.state)
    if isinstance(value, Mapping):
        pairs = [(k if type(k) in (int, str, float, bool) else str(k), v) for k, v in value.items()]
        return {key: plain(item, f'{where}.{key}', left_out, above) for key, item in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, f'{where}[{i}]', left_out, above) for i, item in enumerate(value)]
    if type(value) in (int, float, str, bytes, bool) or value is None:
        return value
    left_out.append(f'{where} ({type(value).__module__}.{type(value).__qualname__})')
    return None


def main() -> None:
    """Read, convert, write, and read the result back as data."""
    args = parse_args()
    if not Path(args.old).is_file():
        raise FileNotFoundError(f'no checkpoint at {args.old}.')
    print(
        f'WARNING: reading {args.old} runs any code it holds. Stop now (Ctrl-C) unless you know '
        'where it comes from.',
        file=sys.stderr,
    )
    import torch

    from mochi_mm.files.atomic_file import write_atomically
    from mochi_mm.files.checkpoint import read_checkpoint
    from mochi_mm.files.plain_tensors import check_tensors

    content = read(args.old)
    left_out: list[str] = []
    converted = plain(content, 'checkpoint', left_out)
    if not isinstance(converted, dict):
        kind = f'{type(content).__module__}.{type(content).__qualname__}'
        raise ValueError(
            f'{args.old} holds a {kind}, and a checkpoint is a dict of tensors; nothing was '
            'written. If it is a whole module, save its state_dict() where it was made, and use '
            'that.'
        )
    check_tensors(converted, args.old)  # before anything is written
    Path(args.new).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(args.new, lambda file: torch.save(converted, file))
    read_checkpoint(args.new)
    print(
        f'{args.new} written, {len(left_out)} objects left out'
        + ''.join(f'\n  {name}' for name in left_out)
    )


if __name__ == '__main__':
    from mochi_mm.launch.tool import run_tool

    run_tool(main)
