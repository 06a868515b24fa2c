"""Randomness keyed by what is being computed, never by what was drawn before.

What happens to a sample depends on (seed, epoch, sample index) alone, what happens in a step on
(seed, iteration) and, where ranks must differ, the rank. So a run is the same for any number of
workers and after a resume at any iteration, and no state has to be saved for it.
"""

from mochi_mm.randomness.sample_key import SampleKey
from mochi_mm.randomness.step_key import StepKey

__all__ = ['SampleKey', 'StepKey']
