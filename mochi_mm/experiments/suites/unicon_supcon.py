"""UniCon against SupCon at batch 64 and 256 on CIFAR-10, by kNN and a linear probe.

A quarter-width ResNet-10, the configs of the family, both at the temperature of UniCon's; the rate
goes with the batch, the epochs are the same. A step of UniCon encodes twice as many images: CPU
seconds stand beside the accuracies.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments.comparison import Comparison
from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.family import TIME
from mochi_mm.experiments.figures import Figure, Values, paired
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, FastLinear
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_CONFIG = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'
_RATE = 0.3  # of the configs, for 256 images
_TEMPERATURE = 0.5  # of UniCon's; SupCon's has 0.1
BATCHES = (64, 256)
ACCURACIES = (
    Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1'),
    Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1'),
)


def _pair(batch: int) -> list[Setting]:
    """Return both methods at a batch, with its share of the rate."""
    options = {
        'model.head.temperature': _TEMPERATURE,
        'train_dataloader.batch_size': batch,
        'optim_wrapper.optimizer.lr': _RATE * batch / 256,
        'auto_scale_lr.base_batch_size': batch,
    }
    supcon = f'configs/supcon/supcon_{_CONFIG}.py'
    unicon = f'configs/unicon/unicon_{_CONFIG}.py'
    name, title = f'supcon-b{batch}', f'SupCon at batch {batch}'
    return [
        Setting(name, title, supcon, 'cifar10', options, 'baseline'),
        Setting(
            f'unicon-b{batch}', f'UniCon at batch {batch}', unicon, 'cifar10', options, against=name
        ),
    ]


def gains(out: Path, by_data: dict[str, Values]) -> list[str]:
    """Return what the gain of UniCon is at the smaller batch less that at the larger.

    Args:
        out: Folder of the sweep, where nothing is left.
        by_data: Values of the finished runs of each data set.
    """
    names = [f'the gain of UniCon over SupCon at batch {batch}' for batch in BATCHES]
    first, second = (Setting(name, name, '') for name in names)
    found = []
    for values in by_data.values():
        for figure in ACCURACIES:
            pairs = [
                paired(values, f'unicon-b{batch}', f'supcon-b{batch}', figure, figure)
                for batch in BATCHES
            ]
            gained = [{seed: one - two for seed, (one, two) in pair.items()} for pair in pairs]
            both = sorted(gained[0].keys() & gained[1].keys())
            differences = {seed: gained[0][seed] - gained[1][seed] for seed in both}
            primary = figure is ACCURACIES[0]
            found.append(Comparison(first, second, figure, primary, differences).sentence())
    return found


SUITE = Suite(
    title='UniCon and SupCon on CIFAR-10, on a CPU',
    epochs=10,
    options=small_views(),
    in_memory=True,
    images=Images(per_class=800),
    settings=[setting for batch in BATCHES for setting in _pair(batch)],
    measures=(KNN(), FastLinear()),
    figures=(*ACCURACIES, TIME),
    compared=[figure.key for figure in ACCURACIES],
    notes="""
Mean ± sample standard deviation over seeds. Measured on the validation images; the training images
of the sweep vote in the kNN (k = 20), and the fast linear probe is fitted to them. CPU seconds are
those of the training; a run that was interrupted has none.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
    more=gains,
    records=[
        RecordPlan(
            'unicon-supcon-cifar10-{setting}.json',
            'kNN (k=20, temperature 0.07) and fast linear probe',
            ('knn/top1_k20', 'fast_linear/top1'),
        )
    ],
)
