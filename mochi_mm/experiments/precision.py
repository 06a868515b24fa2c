"""Precision in which the encoders of a sweep are trained."""

from __future__ import annotations

from collections.abc import Mapping

#: Options of a suite: encoders in bfloat16, losses and all measures in float32. On a CPU with units
#: for bfloat16 a step takes two thirds of the time; on others it is slower.
BFLOAT16: Mapping[str, str] = {'optim_wrapper.type': 'BF16OptimWrapper'}
