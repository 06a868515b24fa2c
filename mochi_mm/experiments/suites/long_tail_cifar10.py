"""Long-tailed CIFAR-10 (factor 0.01): cross-entropy, balanced softmax, SupCon, PaCo, GPaCo, ResCom.

A quarter-width ResNet-10, 20 epochs over the 12,406 images, batches of 128, one CPU core; tested on
all 10,000 test images, which are balanced. A class has many training images above 1,000 (4 classes)
and few below 200 (3 classes).
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.measures import KNN, TailAccuracy
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_CUTS = (1000, 200)
_ALL, _MANY, _MEDIUM, _FEW = (
    f'tail/{name}' for name in ('top1', 'many_over1000', 'medium_200to1000', 'few_below200')
)
_KNN = 'knn/top1_k20'
_NETWORK = 'resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu'
_BASELINE = 'cross-entropy'


def _setting(folder: str, name: str, title: str, views: str, role: str = '') -> Setting:
    """Return a setting that is compared with cross-entropy, which is compared with nothing."""
    against = '' if name == _BASELINE else _BASELINE
    path = f'configs/{folder}/{name}_{_NETWORK}.py'
    options = small_views(*(f'{view}_pipeline' for view in views.split()), fast=False)
    return Setting(name, title, path, 'cifar10', options, role, against)


def _claim(key: str, words: str) -> Claim:
    return Claim('balanced', key, +1, f'it is better than cross-entropy {words}', 'its purpose')


SUITE = Suite(
    title='CIFAR-10-LT, factor 0.01',
    epochs=20,
    in_memory=True,
    measures=(TailAccuracy(_CUTS), KNN(watch=False)),
    figures=(
        Figure(_ALL, 'all', 'top-1 over all classes'),
        Figure(_MANY, 'many', 'top-1 of classes with more than 1,000 images'),
        Figure(_MEDIUM, 'medium', 'top-1 of classes with 200 to 1,000 images'),
        Figure(_FEW, 'few', 'top-1 of classes with fewer than 200 images'),
        Figure(_KNN, 'kNN', 'kNN top-1'),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    settings=(
        _setting('long_tail', _BASELINE, 'cross-entropy', 'strong'),
        _setting('long_tail', 'balanced-softmax', 'balanced softmax', 'strong', 'balanced'),
        _setting('long_tail', 'supcon', 'SupCon, then linear', 'strong view'),
        _setting('paco', 'multi-task', 'balanced softmax + SupCon', 'strong view', 'balanced'),
        _setting('paco', 'paco', 'PaCo', 'strong view', 'balanced'),
        _setting('paco', 'gpaco', 'GPaCo', 'strong view', 'balanced'),
        _setting('rescom', 'rescom', 'ResCom', 'strong', 'balanced'),
    ),
    compared=(_ALL, _FEW),
    claims=(
        _claim(_ALL, 'over all classes'),
        _claim(_FEW, 'where images are few'),
    ),
    records=(
        RecordPlan(
            'long-tail-{data}-{setting}.json',
            'top-1 on the balanced test set, by group of classes; classes above 1,000 training '
            'images have many, below 200 few',
            (_ALL, _MANY, _MEDIUM, _FEW, _KNN),
        ),
    ),
    notes="""
Top-1 in percent on the balanced test set, by the network's own classifier; SupCon's is fitted to
the frozen features of the long tail afterwards (the fast probe, without class counts). kNN (k =
20): the long tail votes. CPU seconds are those of the training.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
