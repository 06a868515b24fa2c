"""How a hard negative is synthesised from others."""

from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.models.mixers.pair_mixing import PairMixing
from mochi_mm.models.mixers.query_mixing import QueryMixing

__all__ = ['BaseMixer', 'PairMixing', 'QueryMixing']
