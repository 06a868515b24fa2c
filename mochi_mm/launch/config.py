"""Reading a config with its command-line overrides, none of them ignored."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mochi_mm.registry import nearest

# Settings of MMEngine's runner and of the tools that a config need not have written down.
_RUNNER_KEYS = (
    'auto_scale_lr',
    'cfg',
    'compile',
    'efficient_conv_bn_eval',
    'env_cfg',
    'experiment_name',
    'find_unused_parameters',
    'launcher',
    'load_from',
    'log_level',
    'model_wrapper_cfg',
    'param_scheduler',
    'pretrained',
    'randomness',
    'resume',
    'resume_allow',
    'runner_type',
    'sync_bn',
    'work_dir',
)


# dict(...) or {...}, by itself or in a list or tuple.
_DICT = re.compile(r'\bdict\(|^[\[(\'"\s]*\{')


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Return ``--cfg-options`` as values by dotted key.

    A tool that passes its words through here, instead of having argparse do it, answers ``--help``
    without importing MMEngine.

    Args:
        words: ``KEY=VALUE`` each, as MMEngine's DictAction reads them.

    Raises:
        ValueError: A word without '=', or a value that these words cannot say, such as a dict.
    """
    wrong = [word for word in words if '=' not in word]
    if wrong:
        raise ValueError(f'--cfg-options got {wrong[0]!r}; expected KEY=VALUE, without spaces.')
    return {key: value for word in words for key, value in _parse_option(word).items()}


def _parse_option(word: str) -> dict[str, Any]:
    """Return the value of one ``KEY=VALUE`` by its key."""
    key, value = word.split('=', 1)
    parser = argparse.ArgumentParser()
    parser.add_argument('--options', nargs='+', action=DictAction)
    try:
        if _DICT.search(value):
            raise ValueError  # MMEngine would cut it at its commas, into strings
        return parser.parse_args(['--options', word]).options
    # What MMEngine does at a call with a comma in it and at a bracket that is not closed.
    except (RecursionError, AssertionError, ValueError):
        raise ValueError(
            f'--cfg-options {key} has the value {value!r}; expected a number, a word, or a list or '
            'tuple of these. Single settings have dotted keys, such as model.head.temperature=0.1 '
            'or model.head.mixers.0.num=16; dicts and calls need a config of their own with '
            '_base_ = [the one given].'
        ) from None


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Return the config at ``path`` with ``options`` applied.

    ``data_root`` reaches every data set that had the config's own ``data_root``.

    Args:
        path: A config file.
        options: Values by dotted key, as ``--cfg-options`` gives them.

    Raises:
        FileNotFoundError: No such file.
        KeyError: An option whose first word is no setting of the config.
        ValueError: A config in another language than Python.
        ImportError: One of the config's ``custom_imports`` failed; the message is its own.
    """
    if Path(path).suffix != '.py':
        raise ValueError(f'{path} is no config; expected a Python file (.py), see configs/.')
    if not Path(path).is_file():
        raise FileNotFoundError(f'no config at {path}; see configs/ for those that exist.')
    config = _read(path)
    options = dict(options or {})
    for key in options:
        head = key.split('.')[0]
        if head not in config and head not in _RUNNER_KEYS:
            close = nearest(head, [*config, *_RUNNER_KEYS])
            raise KeyError(
                f'--cfg-options {key}: {path} has no setting {head!r}. Nearest: '
                f'{", ".join(close) or "none"}.'
            )
    former = config.get('data_root')
    config.merge_from_dict(options)
    if 'data_root' in options:
        _replace(config._cfg_dict, former, options['data_root'])
    return config


def _read(path: str | Path) -> Config:
    """Read a config; an import that fails tells its own reason, not where Python looked."""
    try:
        return Config.fromfile(str(path))
    except ImportError as error:
        first: BaseException = error
        while isinstance(first.__context__, ImportError):
            first = first.__context__
        raise first from None


def _replace(node: Any, former: Any, new: Any) -> None:
    children = node.values() if isinstance(node, Mapping) else node
    if isinstance(node, Mapping) and node.get('data_root') == former:
        node['data_root'] = new  # type: ignore[index]
    for child in children:
        if isinstance(child, (Mapping, list, tuple)):
            _replace(child, former, new)
