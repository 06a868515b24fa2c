"""The files that the parts of a config load by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.load_weights import check_recorded_images


def pretrained_files(init_cfg: Any) -> Iterator[str]:
    """Yield the files that an ``init_cfg`` of any scope would load."""
    if isinstance(init_cfg, Mapping):
        kind = init_cfg.get('type', '')
        if str(getattr(kind, '__name__', kind)).endswith(('Pretrained', 'PretrainedInit')):
            yield str(init_cfg['checkpoint'])
        init_cfg = list(init_cfg.values())
    for child in init_cfg if isinstance(init_cfg, (list, tuple)) else ():
        yield from pretrained_files(child)


def look_at_pretrained(model: nn.Module) -> None:
    """Read the files that parts of a model will load by themselves, as data, and ask what they say.

    Whatever loads them, a file is plain data, and a backbone is shown the images that it was
    trained on, unless the ``init_cfg`` has ``allow_other_input=True``, or ``adapt_stem``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A file is no plain data, or was trained on other images than ``model`` makes.
    """
    inside = {id(part) for part in getattr(model, 'backbone', nn.Identity()).modules()}
    for module in model.modules():
        init_cfg = getattr(module, 'init_cfg', None)
        for file in pretrained_files(init_cfg):
            content = read_checkpoint(local_path(file))
            allowed = isinstance(init_cfg, Mapping) and any(
                init_cfg.get(name) for name in ('allow_other_input', 'adapt_stem')
            )
            if id(module) in inside and not allowed:
                check_recorded_images(model, content, str(file))
