"""Settings of the process of a run: what the engine would trip over, or take for yes."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Mapping
from typing import Any

from mochi_mm.launch.check_sections import setting_at

_YES_OR_NO = (
    'env_cfg.cudnn_benchmark',
    'env_cfg.keep_freed_memory',
    'randomness.deterministic',
    'randomness.diff_rank_seed',
    'find_unused_parameters',
)
_SEEDS = 2**32  # as NumPy counts them
_LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')


def check_runtime(config: Mapping[str, Any]) -> None:
    """Raise on a seed, log level, way to start workers, timeout or switch that is none.

    Args:
        config: A whole config.

    Raises:
        ValueError: With the key, the value and what was expected.
    """
    for where in _YES_OR_NO:
        value = setting_at(config, where)
        if value not in (None, True, False):
            raise _refused(where, value, 'True or False')
    if setting_at(config, 'randomness.diff_rank_seed'):
        raise ValueError(
            'randomness.diff_rank_seed is True, and ranks share draws by their seed, such as the '
            'order of a batch; expected False: what each rank draws for itself differs already.'
        )
    seed = setting_at(config, 'randomness.seed')
    if seed is not None and not (type(seed) is int and 0 <= seed < _SEEDS):
        raise _refused('randomness.seed', seed, f'an integer from 0 to {_SEEDS - 1}, or None')
    level = setting_at(config, 'log_level')
    if isinstance(level, str) and not isinstance(logging.getLevelName(level), int):
        raise _refused('log_level', level, f'one of {", ".join(_LEVELS)}')
    method = setting_at(config, 'env_cfg.mp_cfg.mp_start_method')
    methods = multiprocessing.get_all_start_methods()
    if method is not None and method not in methods:
        raise _refused('env_cfg.mp_cfg.mp_start_method', method, f'one of {", ".join(methods)}')
    timeout = setting_at(config, 'env_cfg.dist_cfg.timeout')
    if timeout is not None and not (type(timeout) in (int, float) and timeout > 0):
        raise _refused('env_cfg.dist_cfg.timeout', timeout, 'seconds above 0, such as 900')


def _refused(where: str, value: Any, expected: str) -> ValueError:
    return ValueError(f'{where} is {value!r}; expected {expected}.')
