"""Values of the kind that a signature names, of every component at once."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.launch.check_annotated import check_annotated
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.models.heads import ESupConHead, OpenConHead
from tests.toy_runner import REPOSITORY


@pytest.mark.parametrize('value', ['maybe', 'True', 1, 0, None, [True]])
def test_what_is_no_bool(value: Any) -> None:
    with pytest.raises(ValueError, match='^ESupConHead prototype_negatives is .* True or False.$'):
        check_annotated(ESupConHead, dict(prototype_negatives=value))
    check_annotated(ESupConHead, dict(prototype_negatives=False))


@pytest.mark.parametrize('value', [0.4, '0.4', None, {}])
def test_one_value_in_the_place_of_several(value: Any) -> None:
    with pytest.raises(ValueError, match='^OpenConHead temperatures is .*; expected a list.$'):
        check_annotated(OpenConHead, dict(temperatures=value))
    check_annotated(OpenConHead, dict(temperatures=[0.4, 0.1, 0.7]))


def test_of_bases_and_of_functions_but_not_of_other_projects() -> None:
    with pytest.raises(ValueError, match='mask_own_keys is 1'):  # of the base of heads
        check_annotated(ESupConHead, dict(mask_own_keys=1))

    def foreign(flag: bool) -> None: ...

    check_annotated(foreign, dict(flag='maybe', other=1))


def test_a_config_says_where() -> None:
    path = REPOSITORY / 'configs/esupcon/esupcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
    config = load_config(path, {'model.head.prototype_negatives': 'maybe'})
    with pytest.raises(ValueError, match='^model.head: ESupConHead prototype_negatives'):
        check_config(config)
