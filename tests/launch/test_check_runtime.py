"""Settings of the process: refused before anything is built, in words of our own."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mochi_mm.launch.check_runtime import check_runtime
from mochi_mm.launch.check_sections import check_sections


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(randomness=dict(seed=1.5)), r'randomness.seed is 1.5; expected an integer from 0'),
        (dict(randomness=dict(seed=-1)), 'seed is -1'),
        (dict(randomness=dict(seed=2**32)), 'seed is 4294967296'),
        (dict(randomness=dict(seed=True)), 'seed is True'),
        (
            dict(randomness=dict(diff_rank_seed=True)),
            'diff_rank_seed is True, and ranks',
        ),
        (dict(randomness=dict(deterministic='maybe')), "deterministic is 'maybe'; expected True"),
        (dict(env_cfg=dict(cudnn_benchmark='maybe')), "cudnn_benchmark is 'maybe'"),
        (dict(env_cfg=dict(keep_freed_memory=3)), 'keep_freed_memory is 3'),
        (dict(find_unused_parameters='of course'), "find_unused_parameters is 'of course'"),
        (dict(log_level='DEBG'), "log_level is 'DEBG'; expected one of DEBUG, INFO"),
        (dict(env_cfg=dict(mp_cfg=dict(mp_start_method='frok'))), "'frok'; expected one of fork"),
        (dict(env_cfg=dict(dist_cfg=dict(timeout=0))), 'timeout is 0; expected seconds above 0'),
        (dict(env_cfg=dict(dist_cfg=dict(timeout='900s'))), "timeout is '900s'"),
    ],
    ids=str,
)
def test_what_is_none(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_runtime(config)


def test_what_is_one() -> None:
    loaded = dict(
        randomness=dict(seed=0, deterministic=True),
        env_cfg=dict(
            cudnn_benchmark=False,
            mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
            dist_cfg=dict(backend='gloo', timeout=0.5),
        ),
        log_level='WARN',
    )
    bounds = dict(randomness=dict(seed=2**32 - 1), log_level=20)
    for config in (loaded, bounds, dict(env_cfg=None, log_level=None), {}):
        before = copy.deepcopy(config)
        check_runtime(config)
        assert config == before


def test_a_part_of_a_model_that_nothing_is_built_from() -> None:
    """As --cfg-options make one where the config leaves the part out."""
    for part in ('data_preprocessor', 'neck'):
        with pytest.raises(ValueError, match=rf'model\.{part} is .*no type.*model\.{part}\.type'):
            check_sections(dict(model={'type': 'MoCo', part: dict(mean=[1, 2, 3])}))
    with pytest.raises(ValueError, match=r'model\.head\.memory is'):
        check_sections(dict(model=dict(head=dict(type='X', memory=dict(length=3)))))
    check_sections(dict(model=dict(type='MoCo', head=None, neck=dict(type='MLPNeck'), backbone={})))
