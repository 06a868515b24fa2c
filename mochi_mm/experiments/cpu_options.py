"""Options with which the runs of a sweep take less of a CPU's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Encoders in bfloat16, losses and all measures in float32. On a CPU with units for bfloat16 a step
#: takes two thirds of the time; on others it is slower.
BFLOAT16: Mapping[str, str] = {'optim_wrapper.type': 'BF16OptimWrapper'}

#: Pixels of a view of CIFAR-10; what is measured keeps its 32. Over half the time of a step.
SMALL_VIEW = 24


def small_views(*pipelines: str, fast: bool = True) -> dict[str, Any]:
    """Return the options for encoders in bfloat16 and views of 24 pixels.

    Args:
        *pipelines: Names of the lists of transforms in the config that begin with a crop; by
            default ``view_pipeline``.
        fast: Whether :class:`~mochi_mm.datasets.transforms.FastMultiView` makes them, which knows
            crops, colors, blur and flips.
    """
    sizes = {f'{name}.0.size': SMALL_VIEW for name in pipelines or ('view_pipeline',)}
    maker = {'train_pipeline.0.type': 'FastMultiView'} if fast else {}
    return {**BFLOAT16, **sizes, **maker}
