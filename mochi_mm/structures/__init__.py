"""The records that pass between rooms, and the protocols that hooks call."""

from mochi_mm.structures.anchors import Anchors
from mochi_mm.structures.block import Block
from mochi_mm.structures.data_facts import DataFacts
from mochi_mm.structures.hard_negatives import HardNegatives
from mochi_mm.structures.head_step import HeadStep
from mochi_mm.structures.mixed_inputs import MixedInputs
from mochi_mm.structures.mixture import Mixed, Mixture
from mochi_mm.structures.plan import Plan
from mochi_mm.structures.view_parameters import ViewParameters
from mochi_mm.structures.views import DataSamples, Views

__all__ = [
    'Anchors',
    'Block',
    'DataFacts',
    'DataSamples',
    'HardNegatives',
    'HeadStep',
    'Mixed',
    'MixedInputs',
    'Mixture',
    'Plan',
    'ViewParameters',
    'Views',
]
