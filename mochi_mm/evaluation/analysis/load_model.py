"""A checkpoint into a model, as much of it as there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from mochi_mm.evaluation.analysis.settings import MEMORY_MEASURES
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.fit import fit
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.shown import shown
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.files.weight_sets import weights_of
from mochi_mm.files.weights_record import one_line

#: What cannot be measured without a part of a model; without any other part, the memory.
_NEEDED_BY = dict(neck=('neck', *MEMORY_MEASURES), heads=('classifier',))


def load_for_analysis(
    model: nn.Module,
    path: str | Path,
    allow_other_input: bool = False,
    checkpoint_key: str | None = None,
) -> tuple[str, dict[str, str]]:
    """Load a checkpoint of this project; each part is loaded whole, or left out and named.

    Args:
        model: The algorithm of the config, already initialized.
        path: A checkpoint: of a whole run, or of a backbone alone.
        allow_other_input: Load weights that were trained on images normalized in another way.
        checkpoint_key: Set of weights to take, where the file holds several.

    Returns:
        A report, and what cannot be measured, with the reason, for :func:`analyze`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The backbone is not all there, a part is there in part, a shape differs, a
            number is not finite, or the weights were trained on other images.
    """
    content = read_checkpoint(path)
    report = load_backbone(model, path, allow_other_input, content, checkpoint_key)
    tensors = weights_of(content, path, checkpoint_key).tensors
    wanted = model.state_dict()
    absent: dict[str, str] = {}
    parts = {name.partition('.')[0] for name in wanted} - {'backbone'}
    for part in sorted(parts, key=lambda part: (part == 'head', part)):  # its words come last
        names = [name for name in wanted if name.startswith(f'{part}.')]
        made = fit({name: wanted[name] for name in names}, tensors, str(path), f'{part}.*')
        if not made.matched and not made.shapes:
            what = 'memory (head.*)' if part == 'head' else f'{part}.*'
            needs = _NEEDED_BY.get(part, MEMORY_MEASURES)
            absent.update(dict.fromkeys(needs, f'{path} holds no {what}'))
            continue
        made.demand('Expected a checkpoint of the same config.')
        check_weights(made.matched, str(path), wanted)
        model.load_state_dict(made.matched, strict=False)
    return report.split(',')[0], absent


def position_of(path: str | Path) -> dict[str, Any]:
    """Return ``epoch``, ``iter`` and time (``saved``, ``saved_at``) of a checkpoint that says so.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A position that is no whole number, a time that is no line of text or number.
    """
    meta = read_checkpoint(path).get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    position: dict[str, Any] = {name: meta[name] for name in ('epoch', 'iter') if name in meta}
    for name, value in position.items():
        if type(value) is not int or value < 0:
            raise ValueError(
                f'{path}: meta.{name} is {shown(value)}; expected a whole number. Restore the file.'
            )
    if 'time' in meta:
        position['saved'] = one_line(meta['time'], 'meta.time', path)
    seconds = meta.get('unix_time', 0.0)
    if type(seconds) is not float or not math.isfinite(seconds):
        raise ValueError(
            f'{path}: meta.unix_time is {shown(seconds)}; expected seconds. Restore the file.'
        )
    if seconds:
        position['saved_at'] = seconds
    return position
