"""SimCLR with its negatives debiased (tau_plus) and reweighted (beta), CIFAR-10, for a CPU.

One temperature, network and budget; nothing but the estimate of the negatives differs.
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import BFLOAT16
from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, FastLinear
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan, Suite
from mochi_mm.visualization.sweep_curves import Panel

_CONFIG = 'configs/debiased/debiased_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
_SIMCLR = 'simclr'
_TAUS, _BETAS = (0.05, 0.1, 0.2), (0.5, 1.0, 2.0)


def _at(name: str, title: str, beta: float, tau_plus: float, role: str = '') -> Setting:
    options = {'model.head.negatives.beta': beta, 'model.head.negatives.tau_plus': tau_plus}
    against = _SIMCLR if role in ('debiased', 'hard') else ''
    return Setting(name, title, _CONFIG, 'cifar10', options, role, against)


SUITE = Suite(
    title='Debiased and hard negatives of SimCLR on CIFAR-10',
    epochs=6,
    options=BFLOAT16,
    images=Images(per_class=1500),
    settings=[
        _at('untrained', 'the untrained network', 0.0, 0.0, UNTRAINED),
        _at(_SIMCLR, 'SimCLR (beta 0, tau_plus 0)', 0.0, 0.0, 'baseline'),
        *(_at(f'tau{t}', f'debiased (tau_plus {t})', 0.0, t, 'debiased') for t in _TAUS),
        *(_at(f'beta{b}', f'HCL (beta {b}, tau_plus 0.1)', b, 0.1, 'hard') for b in _BETAS),
        _at('beta1.0-tau0', 'hard negatives alone (beta 1, tau_plus 0)', 1.0, 0.0, 'hard'),
    ],
    measures=(KNN(), FastLinear()),
    figures=(
        Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1'),
        Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1'),
    ),
    compared=('fast_linear/top1', 'knn/top1_k20'),
    claims=(
        Claim('debiased', 'fast_linear/top1', 1, 'debiasing gains', "authors' README, on STL-10"),
        Claim('hard', 'fast_linear/top1', 1, 'hard negatives gain', "authors' README, on STL-10"),
    ),
    records=(
        RecordPlan(
            'negatives-{data}-{setting}.json',
            'weighted kNN (k=20, temperature 0.07) and fast linear probe',
            ('knn/top1_k20', 'fast_linear/top1'),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds. Measured on the validation images; the training images
of the sweep vote in the kNN (k = 20), and the fast linear probe is fitted to them. Ten classes of
one size, so 0.1 is the true probability that a negative is of the anchor's class. A clamped anchor
learns from its positive alone; what share they are stands in the curves.
Encoders are trained in bfloat16.
""",
    panels=(
        Panel('log', 'knn/top1', 'kNN top-1 (%)'),
        Panel('log', 'loss', 'loss (nats)'),
        Panel('log', 'share_clamped', 'anchors that are clamped (%)', 100.0),
    ),
)
