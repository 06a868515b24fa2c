"""Algorithms and the parts they are composed of."""

from mochi_mm.models import (
    algorithms,
    backbones,
    data_preprocessors,
    heads,
    memories,
    mixers,
    necks,
)

__all__ = ['algorithms', 'backbones', 'data_preprocessors', 'heads', 'memories', 'mixers', 'necks']
