"""ESupCon beside cross-entropy and SupCon on CIFAR-10, with right labels and with 40 % wrong ones.

A quarter-width ResNet-10, 6 epochs over 1,500 images of each class; both views in every method.
With wrong labels, the second stage of SupCon and the kNN see the wrong ones too; what is classified
has the labels of the files.
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, Classified, FastLinear
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_CLASSIFIED, _LINEAR, _KNN = 'classified/top1', 'fast_linear/top1', 'knn/top1_k20'
_NETWORK = 'resnet10w025_1xb256-cosine-6e_cifar10'
_TITLES = {
    'cross-entropy': 'cross-entropy',
    'supcon': 'SupCon, then linear',
    'esupcon': 'ESupCon (our reading)',
}


def _settings(ending: str, words: str) -> list[Setting]:
    """Return the three methods, of which two are compared with cross-entropy.

    Args:
        ending: End of the names of settings and configs.
        words: Words behind their titles.
    """
    found = []
    for name, title in _TITLES.items():
        folder = 'supcon' if name == 'supcon' and not ending else 'esupcon'
        config = f'configs/{folder}/{name}_{_NETWORK}{ending}-cpu.py'
        role, against = '', ''
        if name != 'cross-entropy':
            role, against = name, f'cross-entropy{ending}'
        found.append(
            Setting(
                f'{name}{ending}',
                f'{title}{words}',
                config,
                'cifar10',
                role=role,
                against=against,
            )
        )
    return found


SUITE = Suite(
    title='ESupCon on CIFAR-10',
    epochs=6,
    options=small_views(),
    in_memory=True,
    images=Images(per_class=1500),
    settings=(*_settings('', ''), *_settings('-noise40', ', 40 % wrong labels')),
    measures=(Classified(), FastLinear(), KNN(watch=False)),
    figures=(
        Figure(_CLASSIFIED, 'classified (%)', 'top-1 of what the method classifies with'),
        Figure(_LINEAR, 'linear top-1 (%)', 'linear top-1'),
        Figure(_KNN, 'kNN top-1 (%)', 'kNN top-1'),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_CLASSIFIED, _LINEAR),
    claims=(
        Claim(
            'esupcon', _CLASSIFIED, +1, 'ESupCon gains over cross-entropy', 'abstract of the paper'
        ),
        Claim('supcon', _CLASSIFIED, +1, 'SupCon gains over cross-entropy', 'recalled'),
    ),
    records=(
        RecordPlan(
            'esupcon-{data}-{setting}.json',
            'top-1 of the own classifier (SupCon: fast linear probe), linear probe, weighted kNN',
            (_CLASSIFIED, _LINEAR, _KNN),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds. Classified: cross-entropy by its linear layer, ESupCon
by its prototypes, SupCon by the fast linear probe that is fitted to its frozen features afterwards.
Linear and kNN are those of the pooled features, whatever the method. With wrong labels all of them
learn from the wrong ones; the validation images have the labels of their files.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
