"""What a run may go on from: ``start_from``, which ``tools/train.py --from`` sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mochi_mm.launch.check_surroundings import check_checkpoint
from mochi_mm.launch.known_settings import reads_pretrained
from mochi_mm.registry import SCOPE, component_name
from mochi_mm.utils.checks import check_choice


def check_start_from(config: Mapping[str, Any], resumes: bool = False) -> None:
    """Raise where the weights that a run goes on from are not there, or others would be loaded too.

    Args:
        config: A whole config, to be trained.
        resumes: Whether it goes on from a checkpoint of its own, which takes their place.

    Raises:
        ValueError: No file is named; something else in the config loads weights; a config of
            another library; an unknown rule for the first convolution.
        FileNotFoundError: The file is not there.
    """
    start = config.get('start_from')
    if start is None:
        return
    if not isinstance(start, Mapping) or not isinstance(start.get('weights'), str):
        raise ValueError(
            f'start_from is {start!r}; expected dict(weights=FILE), as --from FILE sets it, with '
            'checkpoint_key, allow_other_input and adapt_stem where they are needed.'
        )
    path = start['weights']
    if config.get('default_scope') != SCOPE:
        raise ValueError(
            f'--from {path}: this config is of scope {config.get("default_scope")!r}, and only '
            'pre-training goes on from weights; a detector takes them with load_from or its '
            "backbone's init_cfg (docs/transfer.md)."
        )
    for other in _others(config):
        raise ValueError(
            f'--from {path} and {other} both say which weights the run begins with; expected one '
            'of the two.'
        )
    if start.get('adapt_stem') is not None:
        from mochi_mm.files.adapt_stem import RULES

        check_choice('start_from.adapt_stem', start['adapt_stem'], RULES)
    if not resumes:
        check_checkpoint(path, 'weights for --from')


def _others(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else in a config loads weights."""
    if config.get('load_from'):
        yield f'load_from={config["load_from"]}'
    if reads_pretrained(config):
        yield 'the PretrainedHook of the config'
    yield from _initialized(config.get('model'), 'model')


def _initialized(node: Any, where: str) -> Iterator[str]:
    if isinstance(node, Mapping):
        if component_name(node) in ('Pretrained', 'PretrainedInit'):
            yield f'{where}, which loads {node.get("checkpoint")}'
        for key, child in node.items():
            yield from _initialized(child, f'{where}.{key}')
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            yield from _initialized(child, f'{where}.{i}')
