"""The choice of alpha of PaCo and GPaCo, on images that are cut from the training images.

Alpha weighs the keys of the batch and the queue against the centers. What is chosen here stands in
the configs that ``long_tail_cifar10`` trains; the test images are not touched.
"""

from __future__ import annotations

from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite
from mochi_mm.experiments.suites import long_tail_cifar10

ALPHAS = (0.0005, 0.002, 0.01, 0.05)
_TEST = long_tail_cifar10.SUITE
_FIGURES: tuple[Figure, ...] = tuple(f for f in _TEST.figures if not f.key.startswith('knn/'))


def _settings(method: str) -> list[Setting]:
    """Return one of the settings of the test with each alpha."""
    (tested,) = (setting for setting in _TEST.settings if setting.name == method)
    return [
        Setting(
            f'{method}-{alpha:g}',
            f'{tested.title}, alpha {alpha:g}',
            tested.config,
            tested.data,
            {**tested.options, 'model.head.alpha': alpha},
        )
        for alpha in ALPHAS
    ]


SUITE = Suite(
    title='CIFAR-10-LT: alpha of PaCo and GPaCo',
    epochs=_TEST.epochs,
    in_memory=True,
    images=Images(held_out=True, queries_per_class=500),
    seeds=(100,),
    settings=[*_settings('paco'), *_settings('gpaco')],
    measures=_TEST.measures[:1],
    figures=_FIGURES,
    records=(
        RecordPlan(
            'long-tail-alpha-{data}-{setting}.json',
            'top-1 on 500 training images of each class that were held out',
            tuple(figure.key for figure in _FIGURES[:-1]),
        ),
    ),
    record_seeds=1,
    notes="""
Top-1 in percent on the images held out, all classes alike; the long tail is made of the others,
4,500 images of the first class and 45 of the last. One seed, which the test does not have. The
smallest alpha was added when it was seen that the best of the other three was the smallest; it is
the best over all classes and again the smallest, so the optimum may lie below.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
