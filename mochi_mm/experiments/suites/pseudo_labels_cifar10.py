"""MoCo-v2 with labels that the network gives itself, beside MoCHi and the class oracle; CIFAR-10.

False negatives are left out, or attracted, by pseudo-labels (IFND, InterCLR) or by a threshold of
each image (GloFND). The oracle, which knows the classes, is the ceiling: how much of what it gains
on MoCo-v2 does a method close?
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure, Values
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.gap_closed import gap_closed
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, FastLinear, Logged
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan, Suite
from mochi_mm.visualization.sweep_curves import Panel

_NETWORK = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'
_LINEAR, _KNN = 'fast_linear/top1', 'knn/top1_k20'
_MOCO = 'mocov2'
_FOUND = {'precision_found': 'precision', 'recall_found': 'recall'}
#: Early, in the middle and at the end; IFND accepts its first labels behind the third.
_EPOCHS = (5, 7, 10)


def _at(
    name: str, title: str, config: str, role: str, against: str = _MOCO, **options: Any
) -> Setting:
    path = f'configs/{config}.py'
    return Setting(name, title, path, 'cifar10', options, role, against)


def _learned(name: str, title: str, config: str, **options: Any) -> Setting:
    return _at(name, title, f'{config}_{_NETWORK}', name, **options)


_SETTINGS = (
    _at('untrained', 'the untrained network', f'mocov2/mocov2_{_NETWORK}', UNTRAINED, ''),
    _at(_MOCO, 'MoCo-v2', f'mocov2/mocov2_{_NETWORK}', 'baseline', ''),
    _at('mochi', 'MoCHi (256, 128, 64)', f'mochi/mochi-256-128-64_{_NETWORK}', 'mochi'),
    _learned('ifnd', 'IFND, elimination', 'ifnd/ifnd'),
    _learned(
        'ifnd-attract',
        'IFND, attraction',
        'ifnd/ifnd',
        **{'model.head.strategy': 'attract'},
    ),
    _learned('ifnd-mochi', 'IFND with MoCHi', 'ifnd/ifnd-mochi'),
    _learned('interclr', 'InterCLR', 'interclr/interclr'),
    _learned('glofnd', "GloFND's thresholds", 'glofnd/glofnd-moco'),
    _at('oracle', 'the class oracle', f'mocov2/mocov2_{_NETWORK}-oracle', 'oracle'),
)
_ACCURACIES = (
    Figure(_LINEAR, 'linear top-1 (%)', 'linear top-1'),
    Figure(_KNN, 'kNN top-1 (%)', 'kNN top-1'),
)


def _head_room(folder: Path, by_data: dict[str, Values]) -> list[str]:
    """Return what each method closes of the gap of MoCo-v2 to the class oracle."""
    by_name = {setting.name: (setting.name, setting.title) for setting in _SETTINGS}
    others = [by_name[s.name] for s in _SETTINGS if s.against and s.name != 'oracle']
    return [
        line
        for values in by_data.values()
        for figure in _ACCURACIES
        for line in gap_closed(values, by_name[_MOCO], by_name['oracle'], others, figure)
    ]


SUITE = Suite(
    title='Labels that the network gives itself on CIFAR-10',
    epochs=10,
    options=small_views(),
    in_memory=True,
    images=Images(per_class=1500),
    settings=_SETTINGS,
    measures=(
        KNN(),
        FastLinear(),
        *(Logged(key, each_epoch=True, optional=True) for key in _FOUND),
    ),
    figures=(
        *_ACCURACIES,
        *(
            Figure(f'{key} at epoch {e}', f'{words}, epoch {e} (%)', f'{words} of epoch {e}', 100.0)
            for key, words in _FOUND.items()
            for e in _EPOCHS
        ),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_LINEAR, _KNN),
    claims=(
        Claim('ifnd', _LINEAR, +1, 'IFND gains on MoCo-v2', 'recalled'),
        Claim('interclr', _LINEAR, +1, 'InterCLR gains on MoCo-v2', "authors' metafile, ImageNet"),
        Claim('glofnd', _LINEAR, +1, 'GloFND gains', 'recalled, on SimCLR'),
        Claim('oracle', _LINEAR, +1, 'the class oracle gains', 'recalled'),
    ),
    more=_head_room,
    records=(
        RecordPlan(
            'pseudo-labels-{data}-{setting}.json',
            'fast linear probe, weighted kNN (k=20), one budget',
            (_LINEAR, _KNN),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds. Precision and recall of what was left out or attracted
are taken by classes that no method sees: of the candidates of each step, means over the lines of
the log up to the end of an epoch (`precision_found`, `recall_found`; zero where nothing was found).
The log of a run also has those of all pairs of images that share an accepted label (`pseudo/...`).
The granularities of IFND count alike. Of pairs drawn at random 10 % are of one class.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
    panels=(
        Panel('log', 'knn/top1', 'kNN top-1 (%)'),
        Panel('log', 'precision_found', 'precision of what was found (%)', 100.0),
        Panel('log', 'recall_found', 'recall of what was found (%)', 100.0),
        Panel('log', 'share_found', 'candidates that were found (%)', 100.0),
        Panel('log', 'pseudo/precision', 'precision of equal labels (%)', 100.0),
        Panel('log', 'pseudo/changed', 'images that changed cluster (%)', 100.0),
        Panel('log', 'pseudo/accepted', 'accepted labels (%)', 100.0),
    ),
)
