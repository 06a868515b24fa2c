"""Compose: order, building from configs, errors."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.transforms import Compose, MultiView, RandomFlip, SaliencyMask


def test_applies_in_order() -> None:
    chain = Compose([lambda r: {**r, 'x': r['x'] + 1}, lambda r: {**r, 'x': r['x'] * 10}])
    assert chain(dict(x=2)) == dict(x=30)


def test_empty_chain_returns_its_input() -> None:
    results = dict(x=1)
    assert Compose()(results) is results


def test_builds_configs(picture) -> None:
    chain = Compose(
        [dict(type='Resize', size=20), dict(type='CenterCrop', size=(8, 10)), RandomFlip(prob=1.0)]
    )
    out = chain(dict(img=picture, rng=np.random.default_rng(0)))
    assert out['img'].size == (10, 8)
    assert 'CenterCrop' in repr(chain)


def test_none_is_an_error() -> None:
    def forgets(results: dict) -> None:
        results['x'] = 1

    with pytest.raises(ValueError, match=r'forgets.*returned NoneType'):
        Compose([forgets])({})


def test_unknown_transform_names_the_nearest() -> None:
    with pytest.raises(KeyError, match='ColorJitter'):
        Compose([dict(type='ColorJiter')])


@pytest.mark.parametrize(
    'name',
    [
        'CenterCrop',
        'ColorJitter',
        'GaussianBlur',
        'MultiView',
        'PackInputs',
        'RandomFlip',
        'RandomGrayscale',
        'RandomResizedCrop',
        'Resize',
    ],
)
def test_unknown_argument_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="unknown argument 'antialiased'"):
        Compose([dict(type=name, antialiased=True)])


@pytest.mark.parametrize('wrong', [dict(type='Resize', size=2), 'Resize', 3, None])
def test_not_a_list(wrong) -> None:
    with pytest.raises(ValueError, match='must be a list'):
        Compose(wrong)


def test_not_a_transform() -> None:
    with pytest.raises(ValueError, match=r'config .* or a callable.*: 3'):
        Compose([3])


def test_a_transform_of_whole_images_comes_first() -> None:
    """Behind a flip or a crop its mask would be that of other pixels, of the same size."""
    mask, flip = SaliencyMask(1.0), RandomFlip(1.0)
    assert Compose([MultiView([[mask, flip]], 1), flip]).wants_whole
    for before in ([flip, mask], [flip, MultiView([[mask]], 1)]):
        with pytest.raises(ValueError, match='stands behind RandomFlip, and what it holds of an'):
            Compose(before)
