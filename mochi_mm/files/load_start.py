"""Loading of what a run goes on from: weights of others, or of an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.fit import Fit, fit
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.files.weight_sets import counted, weights_of
from mochi_mm.structures.protocols import StartsCopies
from mochi_mm.utils.unwrap import unwrap

#: Parts behind the backbone that are taken too where a file holds one whole.
FURTHER = ('neck', 'predictor')


def load_start(
    model: nn.Module,
    path: str | Path,
    allow_other_input: bool = False,
    checkpoint_key: str | None = None,
    content: Mapping[str, Any] | None = None,
    adapt_stem: str | None = None,
) -> str:
    """Load the weights that a pre-training goes on from, and return a report.

    The backbone comes from any file that :func:`load_backbone` takes; neck and predictor too, each
    where the file holds it whole, by its names and in its shapes, as checkpoints of this project
    do. An averaged encoder, and norms apart, start as copies of it. What stays as initialized is
    named.

    Args:
        model: An algorithm, or its data-parallel wrapper.
        path: File with weights.
        allow_other_input: See :func:`load_backbone`.
        checkpoint_key: See :func:`load_backbone`.
        content: What ``path`` holds, where it has been read.
        adapt_stem: See :func:`load_backbone`, there ``stem``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file does not hold this backbone whole; see :func:`load_backbone`. The model
            is then as it was.
    """
    model = unwrap(model)
    content = read_checkpoint(local_path(path)) if content is None else content
    tensors = weights_of(content, path, checkpoint_key).tensors
    further = {name: made for name in FURTHER if (made := _whole(model, name, tensors, str(path)))}
    for made in further.values():
        check_weights(made.matched, made.source, model.state_dict())
    report = load_backbone(model, path, allow_other_input, content, checkpoint_key, stem=adapt_stem)
    for name, made in further.items():
        own = {n.removeprefix(f'{name}.'): tensor for n, tensor in made.matched.items()}
        getattr(model, name).load_state_dict(own, strict=False)
    copies: tuple[str, ...] = ()
    if isinstance(model, StartsCopies):
        model.reset_copies()
        copies = model.copies
    taken = {'backbone', *copies, *further}
    parts = Counter(name.split('.')[0] for name in model.state_dict())
    new = Counter({part: number for part, number in parts.items() if part not in taken})
    more = Counter({name: len(made.matched) for name, made in further.items()})
    return (
        f'{report}. Taken beside it: {counted(more) or "nothing"}. New, as initialized: '
        f'{counted(new) or "nothing"}'
    )


def _whole(model: Any, name: str, tensors: Mapping[str, Any], source: str) -> Fit | None:
    """Return how a part is filled from a file; None where there is none, or the file lacks some."""
    part = getattr(model, name, None)
    if not isinstance(part, nn.Module):
        return None
    wanted = {f'{name}.{n}': value for n, value in part.state_dict().items()}
    made = fit(wanted, tensors, source, f'the {name}', 'the model')
    return None if made.problems() or not made.matched else made
