"""With and without FairKL, by kNN: every config named *coloured-shapes-cpu.py.

The tint goes with the class in most training images and in the biased queries, in the unbiased ones
not at all; the gap between the two is the bias that was learned.
"""

from __future__ import annotations

from mochi_mm.experiments import family
from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.measures import KNN
from mochi_mm.experiments.suite import Suite

_KNN = (
    KNN(suffix='biased', watch=False),
    KNN('unbiased_dataloader', suffix='unbiased', watch=False),
)
_BIASED, _UNBIASED = 'knn/top1_k20 biased', 'knn/top1_k20 unbiased'

SUITE = Suite(
    title='The family on colored scenes',
    configs='*coloured-shapes-cpu.py',
    measures=_KNN,
    before=_KNN,
    figures=(
        *family.gain(_BIASED, 'biased'),
        *family.gain(_UNBIASED, 'unbiased'),
        Figure(_BIASED, 'gap, trained', 'gap between biased and unbiased', less=_UNBIASED),
        family.TIME,
    ),
    records=[family.record('coloured', _BIASED, _UNBIASED)],
    **family.BUDGET,
)
