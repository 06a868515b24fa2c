"""Whether what a classifier goes by is what its explanation shows."""

from mochi_mm.evaluation.explanations.measure_explanations import measure_explanations

__all__ = ['measure_explanations']
