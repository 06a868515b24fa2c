"""Finding a config's mistakes before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine import registry as root
from mmengine.config import Config
from mmengine.registry import Registry

from mochi_mm import registry as registries
from mochi_mm.launch.check_kinds import check_kinds
from mochi_mm.launch.check_open_world import check_open_world
from mochi_mm.launch.check_runtime import check_runtime
from mochi_mm.launch.check_sections import check_sections
from mochi_mm.launch.check_values import check_values
from mochi_mm.registry import SCOPE, ComponentRegistry, check_arguments, nearest
from mochi_mm.renamed import modern

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
    'log_processor',
)
_SUFFIXES = ('_dataloader', '_evaluator')
_PICKLES = ('.pkl', '.pickle', '.yaml', '.yml')
_FOREIGN = ('clip_grad', 'init_cfg', 'worker_init_fn', 'env_cfg')
# The same for mmcv and mmdet: built by functions of their own, not by a registry.
_FOREIGN_MM = ('norm_cfg', 'conv_cfg', 'act_cfg', 'upsample_cfg', 'nms', 'roi_layer')
# What MMEngine takes out of the optim wrapper before building it.
_CONSTRUCTOR = ('type', '_scope_', 'constructor', 'paramwise_cfg')


def check_config(config: Config) -> None:
    """Raise on a component that does not exist or that does not take an argument it is given.

    A config of another scope, such as mmdet's, is checked against that scope's registries and,
    behind the prefix ``mochi_mm.``, against this project's. Its ``custom_imports`` must have been
    imported, as reading it does; a scope that nothing has declared is left alone. Pickled
    annotations are refused in all.

    Args:
        config: A whole config.

    Raises:
        KeyError: An unknown component, with the nearest names.
        ValueError: An unknown argument or key, with the accepted ones; a value of another kind than
            its place takes; a number out of range; what would never happen in the run; a pickle to
            be read.
    """
    _refuse_pickles(config._cfg_dict, '')
    check_kinds(config._cfg_dict)
    check_sections(config._cfg_dict)
    check_values(config._cfg_dict)
    check_runtime(config._cfg_dict)
    check_components(config)
    if _registries(config.get('default_scope')):
        check_open_world(config._cfg_dict)


def check_components(config: Config) -> None:
    """Raise on a component that does not exist, or an argument that it does not take.

    Raises:
        KeyError: An unknown component, with the nearest names.
        ValueError: An unknown argument, or a value of another kind than the component takes.
    """
    known = _registries(config.get('default_scope'))
    for name, section in config.items() if known else ():
        if name in _SECTIONS or name.endswith(_SUFFIXES):
            _check(section, name, known)


def _refuse_pickles(node: Any, path: str) -> None:
    if isinstance(node, Mapping):
        for name, child in node.items():
            _refuse_pickles(child, f'{path}.{name}' if path else str(name))
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            _refuse_pickles(child, f'{path}[{i}]')
    elif isinstance(node, str) and node.lower().endswith(_PICKLES):
        raise ValueError(
            f'{path} is {node!r}: reading a pickle (or YAML) can run code. Expected annotations '
            'as JSON (or XML) and features as .npy.'
        )


def _registries(scope: str | None) -> list[Registry]:
    if scope == SCOPE:
        return [r for r in vars(registries).values() if isinstance(r, ComponentRegistry)]
    roots = [r for r in vars(root).values() if isinstance(r, Registry)]
    return [r.children[scope] for r in roots if scope in r.children]


def _check(node: Any, path: str, known: list[Registry]) -> None:
    if isinstance(node, Mapping):
        if isinstance(node.get('type'), str) or callable(node.get('type')):
            _check_component(node, path, known)
        for name, child in node.items():
            if name not in _FOREIGN and (known[0].scope == SCOPE or name not in _FOREIGN_MM):
                _check(child, f'{path}.{name}', known)
    elif isinstance(node, (list, tuple)):
        for i, child in enumerate(node):
            _check(child, f'{path}[{i}]', known)


def _check_component(node: Mapping[str, Any], path: str, known: list[Registry]) -> None:
    name = node['type']
    component = name
    if isinstance(name, str):
        node = modern(node)
        name = node['type']
        component = next((c for r in known if (c := _get(r, name)) is not None), None)
    if component is None:
        every = {n for r in known for n in r.module_dict}
        every |= {n for r in known if r.parent for n in r.parent.module_dict}
        raise KeyError(
            f'{path} names an unknown component {name!r}. Nearest names: '
            f'{", ".join(nearest(name.split(".")[-1], every)) or "none"}. A component of your own '
            'must be registered in mochi_mm.registry and its module listed in custom_imports.'
        )
    apart = _CONSTRUCTOR if path == 'optim_wrapper' else ('type', '_scope_')
    arguments = {key: value for key, value in node.items() if key not in apart}
    try:
        check_arguments(component, arguments)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def _get(registry: Registry, name: str) -> Any:
    if isinstance(registry, ComponentRegistry):
        return registry.find(name)
    try:
        return registry.get(name)
    except KeyError:
        return None
