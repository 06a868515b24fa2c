"""Attacked and corrupted images: supervised, SimCLR, SupCon, no false negatives, adversarial; CPU.

A quarter-width ResNet-10, 6 epochs over 1,500 images of each class; views, budget and network are
one, and what is attacked is the own classifier or the fast linear probe behind the frozen network.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure, Values
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.gap_closed import gap_closed
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import Robust
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_NETWORK = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'
_SIMCLR = f'configs/simclr/simclr_{_NETWORK}.py'
_ORACLE = {'model.head.removal': dict(type='FalseNegativeRemoval', rule='oracle')}

_SETTINGS = (
    Setting('supervised', 'supervised', f'configs/esupcon/cross-entropy_{_NETWORK}.py', 'cifar10'),
    Setting('simclr', 'SimCLR', _SIMCLR, 'cifar10', role='baseline', against='supervised'),
    Setting(
        'supcon',
        'SupCon',
        f'configs/supcon/supcon_{_NETWORK}.py',
        'cifar10',
        role='labels',
        against='simclr',
    ),
    Setting(
        'removal-oracle',
        'SimCLR without false negatives (oracle)',
        _SIMCLR,
        'cifar10',
        _ORACLE,
        role='removal',
        against='simclr',
    ),
    Setting(
        'removal-threshold',
        'SimCLR without false negatives (threshold)',
        f'configs/fn_removal/removal_{_NETWORK}.py',
        'cifar10',
        role='removal',
        against='simclr',
    ),
    Setting(
        'rocl',
        'adversarial SimCLR (as RoCL)',
        f'configs/adversarial/rocl_{_NETWORK}.py',
        'cifar10',
        role='adversarial',
        against='simclr',
    ),
    Setting(
        'acl',
        'adversarial SimCLR (as ACL)',
        f'configs/adversarial/acl_{_NETWORK}.py',
        'cifar10',
        role='adversarial',
        against='simclr',
    ),
)


def _figure(name: str, title: str) -> Figure:
    return Figure(f'robustness/{name}', f'{title} (%)', title)


_CLEAN, _WORSE = _figure('clean', 'clean'), _figure('corrupted', 'corrupted')
_ATTACKED = tuple(_figure(f'pgd20_linf_{r}', f'PGD-20 at {r}/255') for r in (1, 2, 4, 8))
_LARGE = _figure('pgd20_linf_128', 'PGD-20 at 128/255')


def _gaps(folder: Path, by_data: dict[str, Values]) -> list[str]:
    """Return what each setting closes of the gap of SimCLR to supervised training."""
    lower, upper = ('simclr', 'SimCLR'), ('supervised', 'supervised training')
    others = [(setting.name, setting.title) for setting in _SETTINGS[2:]]
    return [
        line
        for values in by_data.values()
        for figure in (*_ATTACKED, _WORSE)
        for line in gap_closed(values, lower, upper, others, figure)
    ]


SUITE = Suite(
    title='Robustness on CIFAR-10',
    epochs=6,
    options=small_views(),
    in_memory=True,
    images=Images(per_class=1500),
    settings=_SETTINGS,
    measures=(Robust(),),
    figures=(
        _CLEAN,
        *_ATTACKED,
        _WORSE,
        _LARGE,
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_ATTACKED[1].key, _WORSE.key, _CLEAN.key),
    claims=(
        Claim(
            'baseline',
            _ATTACKED[1].key,
            -1,
            'SimCLR is more sensitive than supervised training',
            'abstract of Gupta et al.',
        ),
        Claim(
            'removal',
            _ATTACKED[1].key,
            +1,
            'removal of false negatives gains',
            'abstract of Gupta et al.',
        ),
        Claim(
            'adversarial',
            _ATTACKED[3].key,
            +1,
            'adversarial pre-training gains',
            'Kim et al.; Jiang et al.',
        ),
    ),
    records=(
        RecordPlan(
            'robustness-{data}-{setting}.json',
            'PGD-20 (linf) and corruptions, own classifier or fast linear probe, 1,000 images',
            tuple(f.key for f in (_CLEAN, *_ATTACKED, _WORSE, _LARGE)),
        ),
    ),
    more=_gaps,
    notes="""
Mean ± sample standard deviation over seeds; 1,000 validation images, evenly spaced. Supervised
training is attacked in its own classifier, the others in the fast linear probe fitted to their
frozen clean features. PGD-20 from a random start; an image counts where it is right before and
after. Corrupted: mean over noise, blur, contrast and JPEG at five strengths. At 128/255 nothing
can be right: what is above about zero there is masked gradients, not robustness.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
