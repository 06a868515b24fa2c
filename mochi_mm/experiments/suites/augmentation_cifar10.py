"""InfoNCE and RenyiCL under four strengths of augmentation, CIFAR-10, for a CPU.

One network with a predictor, keys of the batch, one temperature and budget; nothing but the
objective and the views differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mochi_mm.experiments.cpu_options import BFLOAT16, SMALL_VIEW
from mochi_mm.experiments.figures import Figure, Values
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.kept_accuracy import kept_accuracy
from mochi_mm.experiments.measures import KNN, FastLinear
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan, Suite
from mochi_mm.visualization.sweep_curves import Panel

_CONFIG = 'configs/renyicl/renyicl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
_CROP = dict(type='RandomResizedCrop', size=SMALL_VIEW, scale=(0.2, 1.0))
_COLORS = (
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
)
_FLIP = dict(type='RandomFlip', prob=0.5)
_RENYI, _INFO_NCE = ('renyicl', 'RenyiCL'), ('infonce', 'InfoNCE')


def _augment(magnitude: int) -> dict[str, Any]:
    return dict(type='RandAugment', num_ops=2, magnitude=magnitude, max_magnitude=30, fill=115)


#: Name, title and transforms of each strength, the weakest first.
STRENGTHS: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    ('crops', 'crops', [_CROP, _FLIP]),
    ('colors', 'crops and colors', [_CROP, *_COLORS, _FLIP]),
    ('randaugment', 'RandAugment', [_CROP, *_COLORS, _augment(10), _FLIP]),
    (
        'erasing',
        'strong RandAugment and erasing',
        [_CROP, *_COLORS, _augment(20), _FLIP, dict(type='RandomErasing', prob=0.5)],
    ),
)
#: The same encoder, predictor and candidates with MoCo-v3's objective.
_AS_INFO_NCE = dict(_delete_=True, type='KeyBatchHead', temperature=0.5)
_KNN = Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1')
_LINEAR = Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1')


def _settings(strength: str, title: str, views: list[dict[str, Any]]) -> list[Setting]:
    options = {'view_pipeline': views}
    infonce, renyi = f'{_INFO_NCE[0]}-{strength}', f'{_RENYI[0]}-{strength}'
    return [
        Setting(
            infonce,
            f'{_INFO_NCE[1]}, {title}',
            _CONFIG,
            'cifar10',
            {**options, 'model.head': _AS_INFO_NCE},
            'baseline',
        ),
        Setting(renyi, f'{_RENYI[1]}, {title}', _CONFIG, 'cifar10', options, strength, infonce),
    ]


def _more(folder: Path, by_data: dict[str, Values]) -> list[str]:
    """Return what either objective loses to harder views than the usual ones."""
    usual, *harder = [(name, title) for name, title, _ in STRENGTHS[1:]]
    return [
        line
        for values in by_data.values()
        for figure in (_LINEAR, _KNN)
        for line in kept_accuracy(values, _RENYI, _INFO_NCE, usual, harder, figure)
    ]


SUITE = Suite(
    title='InfoNCE and RenyiCL under four strengths of augmentation on CIFAR-10',
    epochs=4,
    options=BFLOAT16,
    in_memory=True,
    images=Images(per_class=1500),
    settings=[
        Setting('untrained', 'the untrained network', _CONFIG, 'cifar10', role=UNTRAINED),
        *(setting for strength in STRENGTHS for setting in _settings(*strength)),
    ],
    measures=(KNN(), FastLinear()),
    figures=(_KNN, _LINEAR),
    compared=(_LINEAR.key, _KNN.key),
    claims=tuple(
        Claim(name, _LINEAR.key, 1, 'with harder views RenyiCL is ahead', "paper's abstract")
        for name, _, _ in STRENGTHS[2:]
    ),
    records=(
        RecordPlan(
            'augmentation-{data}-{setting}.json',
            'weighted kNN (k=20, temperature 0.07) and fast linear probe',
            (_KNN.key, _LINEAR.key),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds. Measured on the validation images; the training images
of the sweep vote in the kNN (k = 20), and the fast linear probe is fitted to them. InfoNCE is that
of MoCo-v3, against the keys of the batch, with the same encoders and predictor.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
    more=_more,
    panels=(Panel('log', 'knn/top1', 'kNN top-1 (%)'), Panel('log', 'loss', 'loss (nats)')),
)
