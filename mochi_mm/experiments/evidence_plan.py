"""Parts shared by the stages of docs/evidence_plan.md: data, regimes, mixings, seeds, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mochi_mm.experiments.cpu_options import BFLOAT16
from mochi_mm.experiments.evidence import FEATURES
from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.regime import Regime
from mochi_mm.experiments.suite import RecordPlan

DATA = 'tiny_imagenet100'
CONFIG = 'configs/mocov2/mocov2_resnet10w025_1xb128-cosine-15e_tiny-imagenet100-cpu.py'
#: Of each class 350 images are trained on, 50 choose, 100 wait for the end.
IMAGES = Images(queries_per_class=50, final_per_class=100, held_out=True)
#: Loader of the images that wait.
FINAL = 'final_dataloader'

#: The regime of today's sweep, and milder ones.
REFERENCE = 'views-0.2-k4096-output-norm'
REGIMES = {
    REFERENCE: Regime(0.2, 0.4, 0.2, 4096, output_norm=True),
    'views-0.4-k1024': Regime(0.4, 0.2, 0.1, 1024),
    'views-0.6-k1024': Regime(0.6, 0.1, 0.05, 1024),
    'views-0.2-k1024': Regime(0.2, 0.4, 0.2, 1024),
}


@dataclass(frozen=True)
class Mixing:
    """The numbers of MoCHi (N, s, s').

    Attributes:
        hard: N.
        pairs: s.
        queries: s'.
        skip: Ranks left out before the N.
    """

    hard: int
    pairs: int
    queries: int
    skip: int = 0

    @property
    def total(self) -> int:
        """Return the number of synthetic negatives of a query."""
        return self.pairs + self.queries

    def words(self) -> str:
        """Return them in words."""
        skipped = f' after {self.skip} skipped' if self.skip else ''
        return f'MoCHi ({self.hard}, {self.pairs}, {self.queries}){skipped}'

    def options(self, mixers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return the options that give them to MoCo-v2, from the second epoch on.

        Args:
            mixers: Other mixers in the place of these.
        """
        numbers = (('PairMixing', self.pairs), ('QueryMixing', self.queries))
        if mixers is None:
            mixers = [dict(type=kind, num=num) for kind, num in numbers if num]
        part = dict(type='HardNegativeMixing', num_hard=self.hard, start_epoch=1, mixers=mixers)
        return {'model.head.mixing': dict(part, skip=self.skip)}


#: Those of which stage 1 chooses one.
MIXINGS = {
    'mochi-128-256-64': Mixing(128, 256, 64),
    'mochi-128-512-0': Mixing(128, 512, 0),
    'mochi-256-1024-128': Mixing(256, 1024, 128),
    'mochi-128-256-64-skip1': Mixing(128, 256, 64, 1),
    'mochi-128-256-64-skip4': Mixing(128, 256, 64, 4),
}
#: What the stages chose; docs/evidence_plan.md says which of these are decided yet.
CHOSEN_REGIME = 'views-0.6-k1024'
CHOSEN_MIXING = 'mochi-128-256-64'

#: Regimes that stage 0 chooses from; the other one tells what queue and neck do by themselves.
CANDIDATES = ('views-0.4-k1024', 'views-0.6-k1024')
#: Least own contrastive accuracy of MoCo-v2 in percent, after the two epochs of stage 0 and after
#: the six of stage 1.
GATE, LATER_GATE = 40.0, 50.0

#: Penalties that the linear probes of stage 2 and later choose from.
PENALTIES = tuple(10.0**power for power in range(-6, 0))

#: Seeds that choose, fresh ones that decide, and those of the controls.
PILOT_SEEDS, FRESH_SEEDS, CONTROL_SEEDS = (100, 101), tuple(range(8)), (0, 1, 2)

LINEAR = Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1', digits=2)
KNN_TOP1 = Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1', digits=2)
OWN_KEY = Figure('acc_contrast', 'own key told (%)', 'contrastive accuracy', 100.0)
DOSE = Figure('share_synthetic', 'mass on synthetic (%)', 'mass on synthetic negatives', 100.0)
FIGURES = (LINEAR, KNN_TOP1, *FEATURES, DOSE)
_LINEAR_TEST = 'linear top-1 on the test part'
LINEAR_TEST = Figure('fast_linear/top1 test', f'{_LINEAR_TEST} (%)', _LINEAR_TEST, digits=2)
_KNN_TEST = 'kNN top-1 on the test part'
KNN_TEST = Figure('knn/top1_k20 test', f'{_KNN_TEST} (%)', _KNN_TEST, digits=2)


def regime_options() -> dict[str, Any]:
    """Return the options of the chosen regime, as stages 1 and later train in it."""
    return {**REGIMES[CHOSEN_REGIME].options(), **BFLOAT16}


def records(stage: str, figures: tuple[Figure, ...], *more: str) -> tuple[RecordPlan, ...]:
    """Return the one record of each setting of a stage.

    Args:
        stage: Name of the stage, in the name of its files.
        figures: The figures in it.
        more: Names of further values.
    """
    keys = (*(figure.key for figure in figures), *more)
    protocol = f'evidence plan, {stage}: linear probe, kNN (k=20) and contrastive task'
    return (RecordPlan(f'evidence-plan-{stage}-{{data}}-{{setting}}.json', protocol, keys),)


def claims(found: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return claims about accuracies on validation as claims about those on the test part."""
    tested = {LINEAR.key: LINEAR_TEST.key, KNN_TOP1.key: KNN_TEST.key}
    return tuple(replace(claim, key=tested.get(claim.key, claim.key)) for claim in found)
