"""Comparing with our own network where the library that a file is for is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import torch
from torch import Tensor

from mochi_mm.export.source import BackboneSource, PooledBackbone


def installed(*modules: str) -> bool:
    """Return whether all of ``modules`` can be imported, without importing them."""
    return all(find_spec(name) is not None for name in modules)


@torch.no_grad()
def read_back(
    source: BackboneSource, tensors: Mapping[str, Tensor], images: Tensor, library: str
) -> tuple[str, Tensor]:
    """Return the features of our network with ``tensors`` (our names), and what was not checked.

    Counters that a format leaves out are taken from the source; nothing else may be missing.
    """
    backbone = source.module()
    counters = {n: t for n, t in source.tensors.items() if n.endswith('.num_batches_tracked')}
    for tensor in backbone.state_dict().values():
        tensor.zero_()
    backbone.load_state_dict({**counters, **tensors})
    how = (
        f'NOT in {library}, which is not installed: the file was read back into this '
        "project's network, names mapped back"
    )
    return how, PooledBackbone(backbone)(images)
