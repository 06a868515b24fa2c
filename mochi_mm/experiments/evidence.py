"""Settings shared by the suites of the evidence: MoCo-v2, MoCHi, the class oracle of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mochi_mm.experiments.figures import Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan
from mochi_mm.visualization.sweep_curves import Panel

Triple = tuple[int, int, int]


def mixing_options(triple: Triple) -> dict[str, Any]:
    """Return the options that give a MoCHi config these N, s and s'."""
    hard, pairs, queries = triple
    mixers = [
        dict(type=kind, num=num)
        for kind, num in (('PairMixing', pairs), ('QueryMixing', queries))
        if num
    ]
    return {'model.head.num_hard': hard, 'model.head.mixers': mixers}


def settings_of(
    data: str,
    mocov2: str,
    mochi: str,
    triples: Sequence[Triple],
    oracles: tuple[str, str] | None = None,
) -> list[Setting]:
    """Return the seven settings of a data set.

    Args:
        data: Folder of the data set.
        mocov2: Config of MoCo-v2.
        mochi: Config of MoCHi.
        triples: N, s and s' of the MoCHi settings; the first is that of the config.
        oracles: Configs of the class oracle of both; None makes them of the others.
    """
    settings = [
        Setting('untrained', 'the untrained network', mocov2, data, role=UNTRAINED),
        Setting('mocov2', 'MoCo-v2', mocov2, data, role='baseline'),
    ]
    for number, triple in enumerate(triples):
        name = f'mochi-{"-".join(map(str, triple))}'
        title = f'MoCHi ({", ".join(map(str, triple))})'
        options = mixing_options(triple) if number else {}
        settings.append(Setting(name, title, mochi, data, options, 'mixing', 'mocov2'))
    loss, mix = {'model.head.oracle_loss': True}, {'model.head.oracle_mix': True}
    changes = ({}, {}) if oracles else (loss, {**loss, **mix})
    configs = oracles or (mocov2, mochi)
    for plain, config, options in zip(settings[1:3], configs, changes, strict=True):
        name, title = f'{plain.name}-oracle', f'{plain.title} with the class oracle'
        settings.append(Setting(name, title, config, data, options, 'oracle', plain.name))
    return settings


ACCURACIES = (
    Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1'),
    Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1'),
)
FEATURES = (
    Figure('alignment/class/backbone', 'alignment', 'alignment of classes', digits=3, unit=''),
    Figure('uniformity/backbone', 'uniformity', 'uniformity', digits=3, unit=''),
    Figure(
        'uniformity/neck',
        'uniformity of embeddings',
        'uniformity of the embeddings',
        digits=3,
        unit='',
    ),
    Figure('acc_contrast', 'contrastive accuracy (%)', 'contrastive accuracy', 100.0),
    Figure(
        'acc_contrast_synthetic',
        'with synthetic negatives (%)',
        'contrastive accuracy with synthetic negatives',
        100.0,
    ),
    Figure(
        'false_negatives/hardest',
        'false among the hardest (%)',
        'share of false negatives among the hardest',
        100.0,
    ),
)
_SECOND_HAND = 'read in a text about the paper'
_RECALLED = 'recalled'
#: Of the MoCHi paper, whose text was not at hand. Lower uniformity is more even, higher alignment
#: is less tight, as docs/analysis.md defines them. That synthetic negatives lower the contrastive
#: accuracy is compared within a run: it cannot rise, since more negatives are counted; what is open
#: is whether it falls, and how far.
CLAIMS = (
    Claim('mixing', 'uniformity/backbone', -1, 'mixing spreads features more evenly', _SECOND_HAND),
    Claim('mixing', 'uniformity/neck', -1, 'mixing spreads embeddings more evenly', _SECOND_HAND),
    Claim('mixing', 'alignment/class/backbone', 1, 'mixing loosens the classes', _SECOND_HAND),
    Claim('mixing', 'fast_linear/top1', 1, 'mixing gains in linear accuracy', _SECOND_HAND),
    Claim(
        'mixing', 'false_negatives/hardest', -1, 'mixing leaves fewer false negatives', _RECALLED
    ),
    Claim('oracle', 'fast_linear/top1', 1, 'the oracle gains in linear accuracy', _RECALLED),
    Claim('oracle', 'knn/top1_k20', 1, 'the oracle gains (by kNN, which is ours)', _RECALLED),
    Claim(
        'oracle', 'false_negatives/hardest', 1, 'the oracle lets false negatives rise', _RECALLED
    ),
    Claim(
        'mixing',
        'acc_contrast_synthetic',
        -1,
        'synthetic negatives lower the accuracy on the contrastive task',
        _RECALLED,
        'acc_contrast',
        'without them',
    ),
)

NOTES = """
Mean ± sample standard deviation over seeds. Measured on the validation images; the training images
of the sweep vote in the kNN (k = 20), and the fast linear probe is fitted to them. Alignment and
uniformity are those of the pooled features, lower is tighter and more even. Contrastive accuracy is
the share of queries whose key is nearer than every negative of the memory; an oracle leaves out
those of the query's class there too, so its contrastive accuracy does not compare.
"""

PANELS = (
    Panel('log', 'knn/top1', 'kNN top-1 (%)'),
    Panel('log', 'loss', 'loss (nats)'),
    Panel('log', 'acc_contrast', 'contrastive accuracy in training (%)', 100.0),
    Panel('analysis', 'uniformity/backbone', 'uniformity (lower is more even)'),
    Panel('analysis', 'alignment/class/backbone', 'alignment of classes (lower is tighter)'),
    Panel('analysis', 'acc_contrast_synthetic', 'contrastive acc. with synthetic neg. (%)', 100.0),
    Panel('analysis', 'acc_contrast', 'contrastive acc. without synthetic neg. (%)', 100.0),
    Panel('analysis', 'false_negatives/hardest', 'false negatives among the hardest (%)', 100.0),
)


#: What every suite of the evidence has.
COMMON: dict[str, Any] = dict(
    measures=(KNN(), FastLinear(), Analysis()),
    figures=(*ACCURACIES, *FEATURES),
    compared=('fast_linear/top1', 'knn/top1_k20'),
    claims=CLAIMS,
    notes=NOTES,
    panels=PANELS,
)


def records(suite: str) -> tuple[RecordPlan, ...]:
    """Return the records of a suite of the evidence, three for each setting."""
    file = f'evidence-{suite}-{{data}}-{{setting}}'
    return (
        RecordPlan(f'{file}-knn.json', 'weighted kNN, k=20, temperature 0.07', ('knn/top1_k20',)),
        RecordPlan(
            f'{file}-fast-linear.json',
            'fast linear probe (L-BFGS on cached features)',
            ('fast_linear/top1',),
        ),
        RecordPlan(
            f'{file}-features.json',
            'features and contrastive task',
            tuple(figure.key for figure in FEATURES),
        ),
    )
