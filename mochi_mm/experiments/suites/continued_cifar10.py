"""Pre-training that goes on from exported weights on other images, under a guard; for a CPU.

MoCo-v2 on 100 classes of Tiny ImageNet at 32 pixels makes the weights; on CIFAR-10 the run goes on
from the exported backbone with a usual rate and with one that is far too high.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments.cpu_options import BFLOAT16
from mochi_mm.experiments.figures import TRAINING, Figure, Values
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import Analysis, Guarded
from mochi_mm.experiments.measures.guarded import END, SEEN, SEEN_FREE, START
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_CONFIG = 'configs/mocov2/mocov2_resnet10w025_1xb128-cosine-15e_tiny-imagenet100-cpu.py'
_RATE = 'optim_wrapper.optimizer.lr'
GOOD, BAD = 0.05, 15.0
_ANALYSIS = dict(
    measures=('view_alignment', 'uniformity', 'alignment_uniformity', 'rank', 'decay', 'lidar'),
    num_queries=256,
    lidar_images=256,
    lidar_views=4,
)
_END = Figure(f'guard/knn {END}', 'kNN at the end (%)', 'kNN top-1 at the end')
_FIGURES = (
    Figure(f'guard/knn {START}', 'kNN at the start (%)', 'kNN top-1 at the start'),
    _END,
    Figure(f'guard/rank {START}', 'rank at the start'),
    Figure(f'guard/rank {END}', 'rank at the end'),
    Figure(f'guard/uniformity {START}', 'uniformity at the start', digits=2),
    Figure(f'guard/uniformity {END}', 'uniformity at the end', digits=2),
    Figure(f'guard/stability {END}', 'neighbors that stayed (%)', factor=100.0),
    Figure(SEEN, 'seen by kNN at look', digits=0),
    Figure(SEEN_FREE, 'seen without labels at look', digits=0),
)


def _seen(folder: Path, by_data: dict[str, Values]) -> list[str]:
    """Return in how many runs, and when, the guard warns of either rate."""
    values = by_data.get('cifar10', {})
    lines = []
    for key, words in ((SEEN, 'kNN'), (SEEN_FREE, 'the measures without labels')):
        for name, title in (('good', f'the rate {GOOD:g}'), ('bad', f'the rate {BAD:g}')):
            looks = [int(run[key]) for run in values.get(name, {}).values() if key in run]
            if not looks:
                continue
            seen = [str(look) for look in looks if look]
            when = f', at measurement {", ".join(seen)}' if seen else ''
            lines.append(
                f'By {words} the guard warns of {title} in {len(seen)} of {len(looks)} runs{when}.'
            )
    return lines


SUITE = Suite(
    title='Going on from exported weights: MoCo-v2, Tiny ImageNet to CIFAR-10',
    epochs=4,
    options=BFLOAT16,
    images=Images(total=2000, total_queries=1000),
    settings=[
        Setting('start', 'MoCo-v2 on Tiny ImageNet', _CONFIG, 'tiny_imagenet100', role='start'),
        Setting(
            'good',
            f'gone on, rate {GOOD:g}',
            _CONFIG,
            'cifar10',
            {_RATE: GOOD},
            role='good',
            start='start',
        ),
        Setting(
            'bad',
            f'gone on, rate {BAD:g}',
            _CONFIG,
            'cifar10',
            {_RATE: BAD},
            role='bad',
            against='good',
            start='start',
        ),
    ],
    looks=4,
    measures=(Analysis(_ANALYSIS), Guarded()),
    figures=(*_FIGURES, Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s')),
    compared=(_END.key,),
    claims=(
        Claim(
            'good',
            _END.key,
            +1,
            'a usual rate ends better than it began',
            'our expectation',
            than=f'guard/knn {START}',
            than_words='at the start',
        ),
    ),
    records=(
        RecordPlan(
            'continued-{data}-{setting}.json',
            'kNN (k=20) and measures without labels before and after a pre-training that goes on',
            tuple(figure.key for figure in _FIGURES),
        ),
    ),
    more=_seen,
    notes="""
Mean ± sample standard deviation over seeds. The guard measures before the first step and after each
epoch: kNN (k = 20) of the validation images, the training images of the sweep voting; without
labels effective rank, uniformity and the share of the 20 nearest neighbors that stay. "At look" is
the measurement at which a default limit is first exceeded, 0 for none. "MoCo-v2 on Tiny ImageNet"
starts from random weights. Encoders are trained in bfloat16.
""",
)
