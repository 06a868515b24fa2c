"""The files that the parts of a config load by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def pretrained_files(init_cfg: Any) -> Iterator[str]:
    """Yield the files that an ``init_cfg`` of any scope would load."""
    if isinstance(init_cfg, Mapping):
        kind = init_cfg.get('type', '')
        if str(getattr(kind, '__name__', kind)).endswith(('Pretrained', 'PretrainedInit')):
            yield str(init_cfg['checkpoint'])
        init_cfg = list(init_cfg.values())
    for child in init_cfg if isinstance(init_cfg, (list, tuple)) else ():
        yield from pretrained_files(child)
