"""Draws that all weights share, the probe on them, and a sentence that says what they say."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import t

from mochi_mm.evaluation.linear_classifier import choose_l2, fit_linear
from mochi_mm.experiments.label_efficiency import (
    LabeledFeatures,
    differences,
    draw_subsets,
    label_sentence,
    label_table,
    measure_labels,
    question,
)

NAMES = [f'{name}/{i}.png' for name, count in (('a', 9), ('b', 12), ('c', 7)) for i in range(count)]


def test_draws_are_of_each_class_nested_and_repeatable() -> None:
    found = draw_subsets(NAMES, ['2', '5', 'all'], 3, seed=4)
    again = draw_subsets(list(reversed(NAMES)), ['2', '5', 'all'], 3, seed=4)
    assert [len(draws) for draws in found.values()] == [3, 3, 1]
    backwards = list(reversed(NAMES))
    for few, more, other in zip(found['2'], found['5'], again['5'], strict=True):
        assert set(few.tolist()) < set(more.tolist())
        assert {NAMES[i] for i in more} == {backwards[i] for i in other}
        classes = [NAMES[i][0] for i in more]
        assert [classes.count(name) for name in 'abc'] == [5, 5, 5]
    assert len({tuple(draw.tolist()) for draw in found['5']}) == 3
    assert found['all'][0].tolist() == list(range(len(NAMES)))
    with pytest.raises(ValueError, match="8 images of each class are wanted; 'c' has 7"):
        draw_subsets(NAMES, ['8'], 3, seed=0)


def test_equal_draws_are_one() -> None:
    """All images of each class, however drawn: an interval of zero width would say too much."""
    names = [f'{name}/{i}.png' for name in 'ab' for i in range(4)]
    assert [len(draws) for draws in draw_subsets(names, ['3', '4'], 3, 0).values()] == [3, 1]


def features() -> LabeledFeatures:
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([ord(name[0]) - ord('a') for name in NAMES])
    centers = torch.randn(3, 6, generator=generator)
    x = centers[labels] + torch.randn(len(NAMES), 6, generator=generator)
    test_labels = torch.arange(3).repeat(20)
    x_test = centers[test_labels] + torch.randn(60, 6, generator=generator)
    return LabeledFeatures(x, labels, x_test, test_labels)


def test_the_probe_is_that_of_the_drawn_rows() -> None:
    given, subsets = features(), draw_subsets(NAMES, ['2', '6'], 2, 0)
    found = measure_labels(given, subsets, l2=(1e-3, 1e-1))
    for labels, draws in subsets.items():
        for value, rows in zip(found[labels], draws, strict=True):
            x, y = given.train[rows], given.train_labels[rows]
            l2 = 1e-2 if labels == '2' else choose_l2(x, y, (1e-3, 1e-1))[0]
            scores = fit_linear(x, y, l2, 3).scores(given.test)
            hits = [
                int(s.argmax()) == int(y) for s, y in zip(scores, given.test_labels, strict=True)
            ]
            assert value == pytest.approx(100 * sum(hits) / 60)
    rows = subsets['2'][0]
    one = fit_linear(given.train[rows], given.train_labels[rows], 0.5, 3)
    alone = measure_labels(given, dict(few=[rows]), l2=(0.5,))
    assert alone == dict(few=[one.accuracy(given.test, given.test_labels)['top1']])


FOUND = dict(
    random={'10': [20.0, 21.0, 22.0], '50': [30.0, 31.0, 32.0], 'all': [40.0]},
    public={'10': [50.0, 52.0, 51.0], '50': [60.0, 61.0, 62.0], 'all': [70.0]},
    own={'10': [53.0, 54.5, 54.0], '50': [61.0, 60.0, 62.5], 'all': [69.0]},
)


def test_the_sentence_says_what_shows_and_what_does_not() -> None:
    each = [3.0, 2.5, 3.0]
    mean = sum(each) / 3
    spread = math.sqrt(sum((d - mean) ** 2 for d in each) / 2)
    half = t.ppf(0.975, 2) * spread / math.sqrt(3)
    assert differences(FOUND, ('own', 'public'))['10'] == pytest.approx((mean, half))
    assert label_sentence(FOUND) == (
        'Own pre-training against public weights: with 10 labels a class it gains 2.8 points '
        f'(95 % interval {mean - half:+.1f} to {mean + half:+.1f}); with 50 labels a class nothing '
        'shows (+0.2 points, 95 % interval -2.4 to +2.8); with all labels -1.0 points of one draw, '
        'which decides nothing.'
    )
    worse = dict(random=FOUND['public'], own=FOUND['random'])
    assert 'with 10 labels a class it loses 30.0 points' in label_sentence(worse)
    assert 'nothing to compare' in label_sentence(dict(random=FOUND['random']))
    assert question(['random', 'public', 'own', 'continued']) == ('continued', 'public')


def test_the_table_holds_every_weight_and_the_difference() -> None:
    lines = label_table(FOUND).splitlines()
    assert lines[0] == '| top-1 in percent | 10 a class | 50 a class | all |'
    assert lines[2] == '| random weights | 21.0 ± 1.0 | 31.0 ± 1.0 | 40.0 |'
    assert lines[5].startswith(
        '| own pre-training less public weights, 95 % interval | +2.1 to +3.6'
    )
