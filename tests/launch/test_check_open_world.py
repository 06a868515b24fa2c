"""One open world in all parts of a config."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from tests.toy_runner import REPOSITORY

CONFIG = REPOSITORY / 'configs/opencon/opencon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'


@pytest.mark.parametrize(
    ('place', 'value'),
    [
        ('model.head.labeled_share', 0.9),
        ('model.head.num_known', 3),
        ('train_dataloader.dataset.dataset.labeled_share', 0.2),
        ('train_dataloader.dataset.dataset.seed', 1),
        ('unlabeled_dataloader.dataset.labeled_share', 0.2),
        ('unlabeled_dataloader.dataset.seed', 1),
        ('val_evaluator.num_known', 3),
        ('test_evaluator.num_known', 3),
    ],
)
def test_a_part_of_another_world(place: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf'(?s)(?=.*{place} is {value}).*expected one value'):
        check_config(load_config(CONFIG, {place: value}))


@pytest.mark.parametrize('options', [dict(labeled_share=0.2), dict(num_known=3), {}])
def test_the_shared_names_move_all_of_them(options: dict[str, Any]) -> None:
    config = load_config(CONFIG, options)
    check_config(config)
    for name, value in options.items():
        assert config.model.head[name] == config.unlabeled_dataloader.dataset[name] == value


def test_what_is_left_out_is_the_default() -> None:
    config = load_config(CONFIG, dict(labeled_share=0.2))
    del config.model.head['labeled_share']
    with pytest.raises(ValueError, match='labeled_share is 0.2 and .*labeled_share is 0.5'):
        check_config(config)
