"""Weights of a part of a model from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from torch import nn

from mochi_mm.files.checkpoint import local_path
from mochi_mm.files.load_weights import load_part
from mochi_mm.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class Pretrained:
    """``init_cfg=dict(type='Pretrained', checkpoint=...)``, read as data, all or nothing.

    Args:
        checkpoint: A local file.
        prefix: Beginning of the names in the file that belong to this part, such as
            'backbone.'.
        checkpoint_key: Set of weights that is taken of a file with several.
        map_location: Without effect; weights are read on the CPU and copied.
        allow_other_input: Whether a run may load a backbone that was trained on images with another
            mean, standard deviation or channel order than its data preprocessor makes.
        adapt_stem: ``mean`` takes weights of three channels into a backbone of another number, see
            :func:`mochi_mm.files.adapt_stem.adapt_stem`; None refuses them.

    Raises:
        FileNotFoundError: When called: no such file.
        ValueError: An address; when called: not plain data, or weights that do not fit.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        prefix: str | None = None,
        map_location: Any = None,
        checkpoint_key: str | None = None,
        allow_other_input: bool = False,
        adapt_stem: str | None = None,
    ) -> None:
        self.checkpoint = local_path(checkpoint)
        self.prefix = '' if prefix is None else prefix.rstrip('.') + '.'
        self.checkpoint_key, self.adapt_stem = checkpoint_key, adapt_stem

    def __call__(self, module: nn.Module) -> None:
        """Load ``module``'s weights."""
        key, stem = self.checkpoint_key, self.adapt_stem
        print_log(load_part(module, self.checkpoint, self.prefix, key, stem))
