"""Values of the kind that a signature names, of every component at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import mochi_mm
from mochi_mm.argument_kinds import check_argument_kinds
from mochi_mm.engine.hooks import CheckpointHook
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.launch.runner import build_runner
from mochi_mm.models.heads import ESupConHead, OpenConHead
from mochi_mm.registry import HOOKS, check_arguments, components
from tests.toy_runner import REPOSITORY

NAN = float('nan')
QUICK = 'configs/mochi/mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes.py'


@pytest.mark.parametrize('value', ['maybe', 'True', 1, 0, None, [True]])
def test_what_is_no_bool(value: Any) -> None:
    with pytest.raises(ValueError, match='^ESupConHead prototype_negatives is .* True or False.$'):
        check_arguments(ESupConHead, dict(prototype_negatives=value))
    check_arguments(ESupConHead, dict(prototype_negatives=False))


@pytest.mark.parametrize('value', [0.4, '0.4', None, {}, [0.4, 0.1], [0.4, 0.1, '0.7']])
def test_one_value_in_the_place_of_several(value: Any) -> None:
    words = '^OpenConHead temperatures is .*; expected a list of 3 numbers.$'
    with pytest.raises(ValueError, match=words):
        check_arguments(OpenConHead, dict(temperatures=value))
    check_arguments(OpenConHead, dict(temperatures=[0.4, 0.1, 0.7]))


@pytest.mark.parametrize(
    ('kind', 'fits', 'not_', 'words'),
    [
        ('int', [3, -1], [3.0, '3', True, None, [3], NAN], 'an integer'),
        ('float', [3, 0.5, NAN], ['0.5', True, None, [0.5], {}], 'a number'),
        ('float | None', [None, 1], ['none', False], 'a number, or None'),
        ('str', ['', 'x'], [None, 3, ['x'], Path('x')], 'a string'),
        ('str | Path', ['x', Path('x')], [None, 3], 'a string or a path'),
        ('Sequence[int]', [[], [1], (1, 2)], ['12', 1, {}, [1.5], [True]], 'a list of integers'),
        ('int | Sequence[int]', [1, [1, 2]], ['1', [None]], 'an integer or a list of integers'),
        ('tuple[int, int]', [(1, 2), [1, 2]], [[1], [1, 2, 3]], 'a list of 2 integers'),
        ('tuple[float, ...]', [(1, 2), [1.5]], [[None], 1.5], 'a list of numbers'),
        ('Sequence[Sequence[Any]]', [[[1], []]], [[1], 1], 'a list of lists'),
        ('Mapping[str, float] | None', [{}, None], [[], 'x'], 'a dict, or None'),
        ('dict | nn.Module', [{}, nn.ReLU()], ['x', None, 3, []], 'a dict or a module'),
        ('Sequence[dict | nn.Module]', [[{}, nn.ReLU()]], [['x'], {}, nn.ReLU()], 'a list'),
    ],
)
def test_kinds(kind: str, fits: list[Any], not_: list[Any], words: str) -> None:
    for value in fits:
        check_argument_kinds(dict(x=kind), dict(x=value), 'Part')
    for value in not_:
        with pytest.raises(ValueError) as caught:
            check_argument_kinds(dict(x=kind), dict(x=value), 'Part')
        assert str(caught.value) == f'Part x is {value!r}; expected {words}.'


@pytest.mark.parametrize('kind', ['Any', 'Sized', 'int | Callable[[], int]', ''])
def test_what_is_not_known_is_left_to_the_component(kind: str) -> None:
    for value in (None, 'x', -1, [None]):
        assert check_argument_kinds(dict(x=kind), dict(x=value), 'Part') is None
        assert check_argument_kinds({}, dict(x=value), 'Part') is None


def test_of_bases_and_of_functions_but_not_of_other_projects() -> None:
    with pytest.raises(ValueError, match='mask_own_keys is 1'):  # of the base of heads
        check_arguments(ESupConHead, dict(mask_own_keys=1))

    def foreign(flag: bool) -> None: ...

    check_arguments(foreign, dict(flag='maybe'))


def test_every_component_is_asked() -> None:
    """An object that no component takes is refused for every argument with a known kind."""
    asked = 0
    for _, component in components().values():
        target = component.__init__ if isinstance(component, type) else component
        if not getattr(target, '__module__', '').startswith('mochi_mm.'):
            continue
        kinds = target.__annotations__
        for argument in [a for a, k in kinds.items() if k in ('int', 'float', 'bool', 'str')]:
            with pytest.raises(ValueError, match=f'{argument} is <object'):
                check_arguments(component, {argument: object()})
            asked += 1
    assert asked > 200


def test_building_asks_as_well() -> None:
    with pytest.raises(ValueError, match="^FeatureQueue length is '64'; expected an integer.$"):
        mochi_mm.build(dict(type='FeatureQueue', length='64', dim=16))
    with pytest.raises(ValueError, match='^PairMixing needs num; give a value of each.$'):
        mochi_mm.build(dict(type='PairMixing'))
    with pytest.raises(ValueError, match='has no type; expected dict.* of a model'):
        mochi_mm.build(dict(type='InBatchContrast', backbone={}, neck=dict(type='MLPNeck')))


def test_what_the_caller_adds_and_classes_are_asked_too() -> None:
    with pytest.raises(ValueError, match="CheckpointHook save_last is 'no'"):
        HOOKS.build(dict(type='CheckpointHook'), default_args=dict(save_last='no'))
    config = load_config(REPOSITORY / QUICK)
    config.default_hooks.checkpoint = dict(type=CheckpointHook, save_last='no')
    with pytest.raises(ValueError, match='default_hooks.checkpoint: CheckpointHook save_last is'):
        check_config(config)
    with pytest.raises(ValueError, match='CheckpointHook save_last is'):
        build_runner(config)


def test_what_mmengine_takes_is_taken() -> None:
    layers = [dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', layer='BatchNorm2d')]
    for init_cfg in (layers, layers[0], None):
        assert mochi_mm.build(dict(type='ResNet', depth=18, init_cfg=init_cfg)) is not None
    with pytest.raises(ValueError, match='but BregmanHead takes none'):  # says the head itself
        mochi_mm.build(dict(type='BregmanHead', in_channels=8, memory=dict(type='FeatureQueue')))


def test_a_config_says_where() -> None:
    path = REPOSITORY / 'configs/esupcon/esupcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
    config = load_config(path, {'model.head.prototype_negatives': 'maybe'})
    with pytest.raises(ValueError, match='^model.head: ESupConHead prototype_negatives'):
        check_config(config)
