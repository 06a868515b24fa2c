"""Mixers: ways to synthesize negatives from the hardest ones."""

from mochi_mm.models.mixers.base_mixer import BaseMixer
from mochi_mm.models.mixers.extrapolation import Extrapolation
from mochi_mm.models.mixers.gradient_step import GradientStep
from mochi_mm.models.mixers.hard_negative_mixing import HardNegativeMixing
from mochi_mm.models.mixers.noise_injection import NoiseInjection
from mochi_mm.models.mixers.pair_mixing import PairMixing
from mochi_mm.models.mixers.query_mixing import QueryMixing
from mochi_mm.models.mixers.sign_step import SignStep

__all__ = [
    'BaseMixer',
    'Extrapolation',
    'GradientStep',
    'HardNegativeMixing',
    'NoiseInjection',
    'PairMixing',
    'QueryMixing',
    'SignStep',
]
