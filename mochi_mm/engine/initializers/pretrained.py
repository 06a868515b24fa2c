"""Weights of a part of a model from a file."""

from __future__ import annotations

from typing import Any

from mmengine.logging import print_log
from torch import nn

from mochi_mm.files.checkpoint import local_path, match_keys, read_checkpoint, some, state_dict_of
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class Pretrained:
    """``init_cfg=dict(type='Pretrained', checkpoint=...)``, read as data, all or nothing.

    Args:
        checkpoint: A local file.
        prefix: Of the names in the file that belong to this part, such as 'backbone.'.
        map_location: Without effect; weights are read on the CPU and copied.

    Raises:
        FileNotFoundError: When called: no such file.
        ValueError: An address; when called: not plain data, or weights that do not fit.
    """

    def __init__(self, checkpoint: str, prefix: str | None = None, map_location: Any = None):
        self.checkpoint = local_path(checkpoint)
        self.prefix = '' if prefix is None else prefix.rstrip('.') + '.'

    def __call__(self, module: nn.Module) -> None:
        """Load ``module``'s weights."""
        tensors = state_dict_of(read_checkpoint(self.checkpoint))
        found = {
            name[len(self.prefix) :]: tensor
            for name, tensor in tensors.items()
            if name.startswith(self.prefix)
        }
        missing, unused = match_keys(module.state_dict(), found, str(self.checkpoint))
        if missing:
            raise ValueError(
                f'{self.checkpoint} lacks {len(missing)} weights of {type(module).__name__}: '
                f'{some(missing)}. Expected a checkpoint of the same part; set prefix if its names '
                'there begin with one.'
            )
        check_weights(found, module.state_dict(), str(self.checkpoint))
        module.load_state_dict(found, strict=False)
        print_log(f'{type(module).__name__} loaded from {self.checkpoint}, {len(unused)} unused')
