"""Turn an old checkpoint that you trust into plain data.

python tools/converters/trust.py OLD.pth NEW.pth

THIS RUNS WHATEVER CODE THE OLD FILE HOLDS. Checkpoints written by other programs may contain any
Python object, and to read such an object is to run code that the author of the file chose. Use it
only on a file whose origin you know, best on a machine that has nothing to lose. What it writes
holds tensors, numbers, strings and containers of them; everything else is left out and named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args() -> argparse.Namespace:
    """Return the command line, read before anything heavy is imported."""
    from mochi_mm.launch.arguments import ToolParser

    parser = ToolParser(description=__doc__)
    parser.add_argument('old', help='a checkpoint whose origin you know and trust')
    parser.add_argument('new', help='where the plain one goes')
    return parser.parse_args()


def plain(value: Any, where: str, left_out: list[str]) -> Any:
    """Return ``value`` as plain data; what has no plain form becomes None and is listed."""
    import numpy as np
    import torch

    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach().clone().as_subclass(torch.Tensor)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return torch.from_numpy(value.copy())
    if isinstance(value, Mapping):
        pairs = [(k if type(k) in (int, str, float, bool) else str(k), v) for k, v in value.items()]
        return {key: plain(item, f'{where}.{key}', left_out) for key, item in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, f'{where}[{i}]', left_out) for i, item in enumerate(value)]
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

    content = torch.load(args.old, map_location='cpu', weights_only=False)
    left_out: list[str] = []
    converted = plain(content, 'checkpoint', left_out)
    if not isinstance(converted, dict):
        kind = f'{type(content).__module__}.{type(content).__qualname__}'
        raise ValueError(
            f'{args.old} holds a {kind}, and a checkpoint is a dict of tensors; nothing was '
            'written. If it is a whole module, save its state_dict() where it was made, and use '
            'that.'
        )
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
