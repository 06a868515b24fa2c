"""References in a config: what they become, and which ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config

from mochi_mm.utils.shared_names import resolve

CONFIG = dict(
    root='/data',
    view=[dict(type='Crop', size=32)],
    steps=[dict(type='Views', transforms=['$view'])],
    loader=dict(batch_size=4, dataset=dict(root='$root', pipeline='$steps')),
    other=dict(_copy_='loader', dataset=dict(root='/other')),
    third=dict(_copy_='$other', batch_size=7),
    loop=dict(epochs=200, by=dict(epoch=True)),
    schedule=[dict(T_max='$loop.epochs - 10', end='$loop.epochs', flag='$loop.by.epoch')],
)


def looked_up(**options: Any) -> dict[str, Any]:
    dotted = {key.replace('__', '.'): value for key, value in options.items()}
    return resolve(Config(CONFIG), dotted).to_dict()


def test_values_stand_where_they_are_referred_to() -> None:
    found = looked_up()
    crop = dict(type='Crop', size=32)
    pipeline = [dict(type='Views', transforms=[[crop]])]
    assert found['loader'] == dict(batch_size=4, dataset=dict(root='/data', pipeline=pipeline))
    assert found['other'] == dict(batch_size=4, dataset=dict(root='/other', pipeline=pipeline))
    assert found['third'] == dict(batch_size=7, dataset=dict(root='/other', pipeline=pipeline))
    assert found['schedule'] == [dict(T_max=190, end=200, flag=True)]
    assert resolve(Config(found)).to_dict() == found


def test_each_place_has_a_copy_of_its_own() -> None:
    found = looked_up()
    found['loader']['dataset']['pipeline'].append('x')
    assert len(found['other']['dataset']['pipeline']) == len(found['steps']) == 1


@pytest.mark.parametrize(
    ('option', 'value', 'place'),
    [
        ('root', '/new', 'loader.dataset.root'),
        ('view.0.size', 8, 'third.dataset.pipeline.0.transforms.0.0.size'),
        ('view', [8], 'steps.0.transforms.0.0'),
        ('steps.0.transforms.0.0.size', 8, 'other.dataset.pipeline.0.transforms.0.0.size'),
        ('loader.batch_size', 5, 'other.batch_size'),
        ('loop.epochs', 2, 'schedule.0.end'),
    ],
)
def test_an_option_reaches_all_that_refers_to_it(option: str, value: Any, place: str) -> None:
    node = resolve(Config(CONFIG), {option: value}).to_dict()
    for key in place.split('.'):
        node = node[int(key)] if key.isdigit() else node[key]
    assert node == (value[0] if option == 'view' else value)


def test_an_option_for_a_copy_changes_the_copy_alone() -> None:
    found = looked_up(other__dataset__pipeline__0__transforms__0__0__size=8, loader__batch_size=9)
    assert found['other']['dataset']['pipeline'][0]['transforms'] == [[dict(type='Crop', size=8)]]
    assert found['view'] == [dict(type='Crop', size=32)]
    assert found['loader']['dataset']['pipeline'] == found['steps']
    assert found['other']['batch_size'] == 9 and found['third']['batch_size'] == 7


def test_dictionaries_are_merged_and_deleted() -> None:
    settings = dict(CONFIG, other=dict(_copy_='loader', dataset=dict(_delete_=True, kind='x')))
    assert resolve(Config(settings)).other == dict(batch_size=4, dataset=dict(kind='x'))
    merged = resolve(
        Config(settings), {'loader': dict(dataset=dict(root=1)), 'view': {'0': {'size': 1}}}
    )
    assert merged.loader.dataset.root == 1 and merged.loader.batch_size == 4
    assert merged.steps[0]['transforms'][0][0] == dict(type='Crop', size=1)


@pytest.mark.parametrize(
    ('changes', 'options', 'error', 'message'),
    [
        (dict(root='$rooot'), {}, KeyError, r'root refers to \$rooot.*Nearest: root'),
        (dict(root='$view', view='$root'), {}, ValueError, 'circle: root -> view -> root'),
        (dict(root='$loop.epoch'), {}, KeyError, r"loop has no 'epoch'"),
        (dict(root='$root'), {}, ValueError, 'circle: root -> root'),
        (dict(end='$root - 1'), {}, ValueError, "root is '/data', no integer"),
        (dict(end=dict(_copy_='root', a=1)), {}, ValueError, 'expected a dictionary'),
        (dict(end=dict(_copy_=3)), {}, ValueError, 'expected the name of a setting'),
        ({}, {'root.x': 1}, ValueError, "'/data' and has no setting 'x' of its own"),
        ({}, {'view.1.size': 1}, KeyError, "list of 1 and has no item '1'.*from 0 to 0"),
        ({}, {'view.size': 1}, KeyError, "no item 'size'"),
    ],
)
def test_what_leads_nowhere_is_named(
    changes: dict[str, Any], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        resolve(Config({**CONFIG, **changes}), options)


def test_other_dollars_stay() -> None:
    words = ['$HOME/data', 'US$', '$', '$1', 'a $root']
    assert resolve(Config(dict(root=1, words=words))).words == words
