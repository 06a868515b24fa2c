"""The scalars that the report draws, and how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """A chart of scalars.

    Attributes:
        title: Title of the chart.
        y_label: Vertical axis, with the unit.
        keys: Name of the scalar of each variant.
        factor: Multiplies the values.
        note: Note on how to read it.
    """

    title: str
    y_label: str
    keys: dict[str, str]
    factor: float = 1.0
    note: str = ''


TRAINING = (
    Lines(
        'Loss',
        'contrastive loss (nats)',
        {'': 'loss'},
        note='With synthetic negatives the sum has more terms: not comparable.',
    ),
    Lines(
        'Contrastive accuracy',
        'queries whose key is nearest (%)',
        {'memory alone': 'acc_contrast', 'and synthetic': 'acc_contrast_synthetic'},
        100,
        note='Queries nearer to their key than to every negative.',
    ),
    Lines('kNN accuracy', 'top-1 (%)', {'': 'knn/top1'}),
    Lines('Probe accuracy', 'top-1 (%)', {'': 'accuracy/top1'}),
    Lines('Similarity of positives', 'cosine of query and key', {'': 'sim_positive'}),
    Lines(
        'False negatives that were found',
        'share (%)',
        {'precision': 'precision_found', 'recall': 'recall_found'},
        100,
        note='What a head removed or attracted, by classes that it never sees; 0: nothing.',
    ),
    Lines(
        'Candidates that were found',
        'share (%)',
        {'': 'share_found'},
        100,
        note='Of all other images that a head compares with: what it took for false negatives.',
    ),
    Lines(
        'Pseudo-labels',
        'share of the pairs of images (%)',
        {'precision': 'pseudo/precision', 'recall': 'pseudo/recall'},
        100,
        note='Over all pairs of images with accepted labels; classes are those of the data set.',
    ),
    Lines(
        'Labels that are accepted and that changed',
        'share of the images (%)',
        {
            'accepted': 'pseudo/accepted',
            'changed': 'pseudo/changed',
            'relabeled in a step': 'share_relabeled',
        },
        100,
    ),
    Lines(
        'Largest cluster',
        'share of the images (%)',
        {'clustering': 'pseudo/largest', 'upkeep': 'clusters/largest'},
        100,
    ),
    Lines('Learning rate', 'learning rate', {'': 'lr'}),
)
ANALYSES = (
    Lines(
        'Alignment of classes',
        'mean distance^alpha',
        {'backbone': 'alignment/class/backbone', 'neck': 'alignment/class/neck'},
        note='Lower: images of one class lie nearer to each other.',
    ),
    Lines(
        'Alignment of views',
        'mean distance^alpha',
        {'backbone': 'alignment/views/backbone', 'neck': 'alignment/views/neck'},
        note='Lower: two views of an image lie nearer to each other.',
    ),
    Lines(
        'Uniformity',
        'log mean potential (nats)',
        {'backbone': 'uniformity/backbone', 'neck': 'uniformity/neck'},
        note='Lower: features cover the sphere more evenly.',
    ),
    Lines(
        'Effective rank',
        'directions',
        {'backbone': 'rank/backbone', 'neck': 'rank/neck'},
        note='Over how many directions the features spread.',
    ),
    Lines(
        'False negatives',
        'share of its kind (%)',
        {
            'among the hardest': 'false_negatives/hardest',
            'pair: both parents': 'false_negatives/PairMixing/both',
            'pair: one parent': 'false_negatives/PairMixing/one',
            'query mix: its parent': 'false_negatives/QueryMixing/only',
        },
        100,
        note="Memory rows of the query's own class, and mixtures that were made from them.",
    ),
    Lines(
        'Hardest negative',
        'mean matching probability (%)',
        {'memory alone': 'probability/hardest', 'and synthetic': 'probability_synthetic/hardest'},
        100,
        note='Probability that the hardest negative of a query takes from its key.',
    ),
)
