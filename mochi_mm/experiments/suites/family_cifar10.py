"""The family at one small budget, by kNN: every config named *6e_cifar10-cpu.py.

Network, batch and schedule are the config's; 15 epochs over the first 800 images of each class. A
head that learns a similarity is measured by that as well.
"""

from __future__ import annotations

from mochi_mm.experiments import family
from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.measures import KNN
from mochi_mm.experiments.suite import Suite

_KNN = (KNN(watch=False), KNN(watch=False, similarity='learned', optional=True))
_LEARNED = 'knn_learned/top1_k20'

SUITE = Suite(
    title='The family on CIFAR-10',
    configs='*6e_cifar10-cpu.py',
    configs_data='cifar10',
    measures=_KNN,
    before=_KNN,
    figures=(
        *family.gain('knn/top1_k20', 'knn'),
        Figure(_LEARNED, 'knn, learned similarity', 'kNN by the learned similarity'),
        family.TIME,
    ),
    records=[family.record('cifar10', 'knn/top1_k20', _LEARNED)],
    **family.BUDGET,
)
