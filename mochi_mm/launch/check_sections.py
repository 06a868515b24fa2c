"""Keys of a config's sections that no component takes: which of them something reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mochi_mm.launch.config_parts import placed_parts
from mochi_mm.registry import component_name, nearest

_LOADER = (
    'batch_sampler',
    'batch_size',
    'collate_fn',
    'dataset',
    'disable_subprocess_warning',
    'drop_last',
    'generator',
    'in_order',
    'multiprocessing_context',
    'num_batch_per_epoch',
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'pin_memory_device',
    'prefetch_factor',
    'sampler',
    'shuffle',
    'timeout',
    'worker_init_fn',
)
_PARAMWISE = (
    'bias_decay_mult',
    'bias_lr_mult',
    'bypass_duplicate',
    'custom_keys',
    'dcn_offset_lr_mult',
    'dwconv_decay_mult',
    'flat_decay_mult',
    'norm_decay_mult',
)
# Keys that a constructor reads beside these.
_CONSTRUCTORS: dict[str, tuple[str, ...]] = {
    '': (),
    'DefaultOptimWrapperConstructor': (),
    'LayerWiseRates': ('layer_decay',),
}
_LOG_PROCESSOR = (
    'by_epoch',
    'custom_cfg',
    'log_with_hierarchy',
    'mean_pattern',
    'num_digits',
    'window_size',
)
# Settings of a parameter group: two of MMEngine's, the others are the optimizer's.
_OF_A_GROUP = (
    'alpha',
    'betas',
    'dampening',
    'decay_mult',
    'eps',
    'lr',
    'lr_mult',
    'momentum',
    'nesterov',
    'trust_coeff',
    'weight_decay',
)
# Parts of a model that are built from a mapping with a `type`.
_PARTS = ('backbone', 'data_preprocessor', 'head', 'memory', 'neck')
# What MMEngine's functions read of each section; a section with a `type` is a component's.
_KEYS: dict[str, tuple[str, ...]] = {
    'auto_scale_lr': ('base_batch_size', 'enable'),
    'custom_imports': ('allow_failed_imports', 'imports'),
    'env_cfg': ('cudnn_benchmark', 'dist_cfg', 'keep_freed_memory', 'mp_cfg', 'resource_limit'),
    'env_cfg.dist_cfg': (
        'backend',
        'device_id',
        'group_name',
        'init_backend',
        'init_method',
        'port',
        'rank',
        'timeout',
        'world_size',
    ),
    'env_cfg.mp_cfg': ('mp_start_method', 'opencv_num_threads'),
    'optim_wrapper.clip_grad': (
        'clip_value',
        'error_if_nonfinite',
        'foreach',
        'max_norm',
        'norm_type',
        'type',
    ),
    'randomness': ('deterministic', 'diff_rank_seed', 'seed'),
    'start_from': ('adapt_stem', 'allow_other_input', 'checkpoint_key', 'weights'),
    'compile': ('backend', 'disable', 'dynamic', 'fullgraph', 'mode', 'options', 'target'),
}


def check_sections(config: Mapping[str, Any]) -> None:
    """Raise on a key that MMEngine would pass over, or stumble on once training has begun.

    Args:
        config: A whole config.

    Raises:
        ValueError: Such a key, with the nearest one and all that are read; a hook or a part of the
            model without a type; a hook of the defaults a second time.
    """
    for where, accepted in _KEYS.items():
        _check_keys(setting_at(config, where), where, accepted)
    for where, loader in loaders(config):
        _check_keys(loader, where, _LOADER)
    wrapper = config.get('optim_wrapper')
    wrapper = wrapper if isinstance(wrapper, Mapping) else {}
    kind = component_name(dict(type=wrapper.get('constructor')))
    if kind in _CONSTRUCTORS:
        read = (*_PARAMWISE, *_CONSTRUCTORS[kind])
        _check_keys(wrapper.get('paramwise_cfg'), 'optim_wrapper.paramwise_cfg', read)
        _check_custom_keys((wrapper.get('paramwise_cfg') or {}).get('custom_keys') or {})
    processor = config.get('log_processor')
    if isinstance(processor, Mapping) and 'type' not in processor:
        _check_keys(processor, 'log_processor', _LOG_PROCESSOR)
    _check_parts(config.get('model'), 'model')
    _check_twice(config)
    hooks = config.get('default_hooks')
    for name, hook in hooks.items() if isinstance(hooks, Mapping) else ():
        if isinstance(hook, Mapping) and 'type' not in hook:
            close = [other for other in nearest(name, hooks) if other != name]
            raise ValueError(
                f'default_hooks.{name} is {dict(hook)!r}, which names no type, so it is no hook. '
                f'Nearest: {", ".join(close) or "none"}.'
            )


def _check_twice(config: Mapping[str, Any]) -> None:
    """Raise on a hook of ``custom_hooks`` that ``default_hooks`` holds as well.

    Both would act: an average would move twice a step, a checkpoint be written twice.
    """
    hooks = config.get('default_hooks')
    for name, hook in hooks.items() if isinstance(hooks, Mapping) else ():
        kind = component_name(hook)
        for i, other in enumerate(config.get('custom_hooks') or ()):
            if kind and component_name(other) == kind:
                raise ValueError(
                    f'custom_hooks[{i}] is a {kind}, which default_hooks.{name} is already, so it '
                    f'would act twice; give default_hooks.{name} these settings, or set it to None.'
                )


def _check_parts(node: Any, where: str) -> None:
    """Raise on a part of a model that has settings and no type: those of a default, or of nothing.

    Where the config leaves a part out, ``--cfg-options model.PART.KEY=VALUE`` makes such a one.
    """
    for key, child in node.items() if isinstance(node, Mapping) else ():
        if key in _PARTS and isinstance(child, Mapping) and child and 'type' not in child:
            raise ValueError(
                f'{where}.{key} is {dict(child)!r}, which names no type, so nothing is built from '
                f'it; set {where}.{key}.type as well.'
            )
        _check_parts(child, f'{where}.{key}')


def _check_custom_keys(custom: Mapping[str, Any]) -> None:
    for key, settings in custom.items():
        where = f'optim_wrapper.paramwise_cfg.custom_keys.{key}'
        if not isinstance(settings, Mapping):
            raise ValueError(
                f'{where} is {settings!r}; expected a dictionary such as dict(lr_mult=0.1), '
                f'{where}.lr_mult=0.1 on the command line.'
            )
        _check_keys(settings, where, _OF_A_GROUP)


def loaders(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place of each data loader and its settings: sections, loops and hooks have them."""
    for name, node in config.items():
        for where, part in placed_parts(node, str(name)):
            if where.rsplit('.', 1)[-1].endswith('dataloader') and 'dataset' in part:
                yield where, part


def setting_at(config: Mapping[str, Any], where: str) -> Any:
    """Return the setting of a dotted key; None where there is none."""
    node: Any = config
    for key in where.split('.'):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _check_keys(section: Any, where: str, accepted: Sequence[str]) -> None:
    if not isinstance(section, Mapping):
        return
    for key in section:
        if key not in accepted and key != '_scope_':
            close = nearest(str(key), accepted, 1)
            hint = f'; did you mean {close[0]!r}?' if close else ';'
            raise ValueError(
                f'{where} has a setting {key!r} that nothing reads{hint} It takes: '
                f'{", ".join(accepted)}.'
            )
