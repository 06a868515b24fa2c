"""MultiView: each view from the original, draws one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.transforms import Compose, MultiView

RECIPE = [
    dict(type='RandomResizedCrop', size=16),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    dict(type='RandomGrayscale'),
    dict(type='GaussianBlur'),
    dict(type='RandomFlip'),
]


def pixels(results: dict) -> list[np.ndarray]:
    return [np.asarray(view) for view in results['views']]


def test_views_differ_and_reproduce(picture) -> None:
    transform = MultiView([RECIPE], num_views=2)
    before = np.asarray(picture).copy()
    first, second = (transform(dict(img=picture, rng=np.random.default_rng(4))) for _ in range(2))
    a, b = pixels(first)
    assert not np.array_equal(a, b)
    assert all(np.array_equal(x, y) for x, y in zip((a, b), pixels(second), strict=True))
    assert first['img'] is picture
    assert np.array_equal(np.asarray(picture), before)


def test_views_follow_one_generator(picture) -> None:
    transform = MultiView([RECIPE, [dict(type='CenterCrop', size=10)], RECIPE], num_views=[2, 1, 1])
    views = pixels(transform(dict(img=picture, rng=np.random.default_rng(4))))
    rng, chain = np.random.default_rng(4), Compose(RECIPE)
    made = [np.asarray(chain(dict(img=picture, rng=rng))['img']) for _ in range(3)]
    assert [view.shape[0] for view in views] == [16, 16, 10, 16]
    for view, expected in zip([views[0], views[1], views[3]], made, strict=True):
        assert np.array_equal(view, expected)


def test_a_view_cannot_change_what_the_next_one_sees() -> None:
    def count(results: dict) -> dict:
        results['n'] = results.get('n', 0) + 1
        results['img'] = results['n']
        return results

    out = MultiView([[count]], num_views=3)(dict(img=0))
    assert out == dict(img=0, views=[1, 1, 1])


@pytest.mark.parametrize(
    ('transforms', 'num_views', 'match'),
    [
        ([dict(type='RandomFlip')], 2, 'list of pipelines'),
        ([], 1, 'list of pipelines'),
        ([[], []], 2, '1 numbers of views for 2 pipelines'),
        ([[]], [1, 1], 'num_views'),
        ([[]], 0, 'positive'),
        ([[]], [1.5], 'positive'),
        ([[]], -1, 'positive'),
    ],
)
def test_bad_arguments(transforms, num_views, match) -> None:
    with pytest.raises(ValueError, match=match):
        MultiView(transforms, num_views)
