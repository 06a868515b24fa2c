"""Finding a config's mistakes before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mochi_mm import registry as registries
from mochi_mm.registry import SCOPE, ComponentRegistry, check_arguments, nearest

# Where components stand in a config, and where mappings with a `type` mean something else.
_SECTIONS = (
    'model',
    'default_hooks',
    'custom_hooks',
    'optim_wrapper',
    'param_scheduler',
    'visualizer',
    'train_cfg',
    'val_cfg',
    'test_cfg',
)
_SUFFIXES = ('_dataloader', '_evaluator')
_FOREIGN = ('clip_grad', 'init_cfg', 'worker_init_fn', 'env_cfg')
# What MMEngine takes out of an optim wrapper's config before it builds the wrapper.
_OF_THE_BUILDER = ('constructor', 'paramwise_cfg')


def check_config(config: Config) -> None:
    """Raise on a component that does not exist or that does not take an argument it is given.

    Only configs of this project's scope are checked; those of other libraries are theirs.

    Args:
        config: A whole config.

    Raises:
        KeyError: An unknown component, with the nearest names.
        ValueError: An unknown argument, with the accepted ones.
    """
    if config.get('default_scope') != SCOPE:
        return
    known = [r for r in vars(registries).values() if isinstance(r, ComponentRegistry)]
    for name, section in config.items():
        if name in _SECTIONS or name.endswith(_SUFFIXES):
            _check(section, name, known)


def _check(node: Any, path: str, known: list[ComponentRegistry]) -> None:
    if isinstance(node, Mapping):
        if isinstance(node.get('type'), str):
            _check_component(node, path, known)
        for name, child in node.items():
            if name not in _FOREIGN:
                _check(child, f'{path}.{name}', known)
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            _check(child, f'{path}[{i}]', known)


def _check_component(node: Mapping[str, Any], path: str, known: list[ComponentRegistry]) -> None:
    name = node['type']
    candidates = [r for r in known if name in r]
    if not candidates:
        every = {n for r in known for n in r.module_dict}
        every |= {n for r in known if r.parent for n in r.parent.module_dict}
        raise KeyError(
            f'{path} names an unknown component {name!r}. Nearest names: '
            f'{", ".join(nearest(name.split(".")[-1], every)) or "none"}. A component of your own '
            'must be registered in mochi_mm.registry and its module listed in custom_imports.'
        )
    taken = _OF_THE_BUILDER if path == 'optim_wrapper' else ()
    arguments = [key for key in node if key not in ('type', '_scope_', *taken)]
    try:
        check_arguments(candidates[0].get(name), arguments)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
