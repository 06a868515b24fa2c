"""Child registries of scope ``mochi_mm``.

Each registry names the packages that hold its components and imports them at the first look-up,
so ``import mochi_mm`` stays cheap and a config of scope ``mochi_mm`` finds everything.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry

from mochi_mm.argument_kinds import check_argument_kinds
from mochi_mm.renamed import modern, present_name

SCOPE = 'mochi_mm'


def nearest(name: str, candidates: Any, count: int = 3) -> list[str]:
    """Return up to ``count`` of ``candidates`` that look most like ``name`` (case ignored)."""
    by_lower = {str(c).lower(): str(c) for c in candidates}
    close = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.4)
    return [by_lower[c] for c in close]


def component_name(part: Any) -> str:
    """Return the name of the component that a part of a config names, without its scope.

    >>> component_name(dict(type='mochi_mm.KNNHook')), component_name(dict(type=dict))
    ('KNNHook', 'dict')
    >>> component_name(dict(interval=3)), component_name(None)
    ('', '')
    """
    kind = part.get('type') if isinstance(part, Mapping) else None
    if isinstance(kind, str):
        return present_name(kind).rpartition('.')[2]
    return str(getattr(kind, '__name__', ''))


def constructors(component: Any) -> list[Any]:
    """Return what is called to make ``component``: its constructors, those of its bases last."""
    if inspect.isclass(component):
        return [vars(cls)['__init__'] for cls in component.__mro__ if '__init__' in vars(cls)]
    return [component]


def _accepted(component: Any) -> list[str] | None:
    """Return the names that ``component`` takes as keywords, None where any or unknown ones.

    ``**kwargs`` of a class of this project go to the next constructor of its bases.
    """
    accepted: list[str] = []
    for target in constructors(component):
        try:
            parameters = inspect.signature(target).parameters
        except (TypeError, ValueError):  # built in C: nothing to compare with
            return None
        if target is object.__init__:  # no constructor of its own: takes nothing
            return accepted
        keywords = [p for p in parameters.values() if p.kind is p.VAR_KEYWORD]
        skipped = {'self', *(p.name for p in keywords), *accepted}
        accepted += [name for name in parameters if name not in skipped]
        if not keywords:
            return accepted
        if not getattr(target, '__module__', '').startswith(f'{SCOPE}.'):
            return None
    return None


def _kinds(component: Any) -> dict[str, str]:
    """Return the annotation of every argument, the outermost constructor's first.

    Of this project's constructors only: what others write there is not known here.
    """
    found: dict[str, str] = {}
    for target in constructors(component):
        if getattr(target, '__module__', '').startswith(f'{SCOPE}.'):
            for name, kind in getattr(target, '__annotations__', {}).items():
                found.setdefault(name, kind if isinstance(kind, str) else 'Any')
    return found


def check_arguments(component: Any, arguments: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` when ``component`` does not take one of the keyword ``arguments``.

    Args:
        component: A class or function that a config names.
        arguments: The keyword arguments that the config passes; ``type`` and ``_scope_`` are none.
    """
    arguments = {name: arguments[name] for name in arguments if name not in ('type', '_scope_')}
    check_names(component, arguments)
    check_argument_kinds(_kinds(component), arguments, component.__name__)


def check_names(component: Any, arguments: Iterable[str]) -> None:
    """Raise ``ValueError`` when ``component`` has no argument of one of these names.

    Args:
        component: A class or function that a config names.
        arguments: Names of the keyword arguments that the config passes.
    """
    accepted = _accepted(component)
    if accepted is None:
        return
    for name in arguments:
        if name not in accepted:
            close = nearest(name, accepted, 1)
            hint = f'; did you mean {close[0]!r}?' if close else '.'
            raise ValueError(
                f'{component.__name__} got an unknown argument {name!r}{hint} '
                f'It accepts: {", ".join(accepted) or "no arguments"}.'
            )


def _check_complete(component: Any, arguments: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where ``component`` has no value for one of its arguments."""
    try:
        parameters = inspect.signature(component).parameters.values()
    except (TypeError, ValueError):  # built in C
        return
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    missing = [
        p.name
        for p in parameters
        if p.kind in named and p.default is p.empty and p.name not in arguments
    ]
    if missing:
        raise ValueError(f'{component.__name__} needs {", ".join(missing)}; give a value of each.')


class ComponentRegistry(Registry):
    """A registry whose errors name the value, the nearest alternatives and the likely causes."""

    def find(self, key: str) -> Any:
        """Return the component called ``key``, None where neither this nor a parent holds it.

        A plain name is looked up; only one with dots, of a scope or a module, may import.
        """
        name = present_name(key)
        if '.' in name:
            return super().get(name)
        self.import_from_location()
        registry: Registry | None = self
        while registry is not None:
            if name in registry.module_dict:
                return registry.module_dict[name]
            registry = registry.parent
        return None

    def get(self, key: str) -> Any:
        """Return the component called ``key``.

        Raises:
            KeyError: Nothing of that name here or in a parent registry; lists the nearest names.
        """
        found = self.find(key)
        if found is not None:
            return found
        names = set(self.module_dict)
        parent = self.parent
        while parent is not None:
            names |= set(parent.module_dict)
            parent = parent.parent
        close = nearest(key.split('.')[-1], names) or sorted(self.module_dict)[:5]
        raise KeyError(
            f'{key!r} is not a registered {self.name}. '
            f'Nearest names: {", ".join(close) or "none"}. '
            'Check the spelling; a component of your own must be registered in mochi_mm.registry '
            'and its module listed in custom_imports of the config.'
        )

    def __contains__(self, key: str) -> bool:
        return self.find(key) is not None

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Build ``cfg`` after checking that its component takes every argument and its kind."""
        if isinstance(cfg, dict):
            if isinstance(cfg.get('type'), str):
                cfg = modern(cfg)
            given = {**(kwargs.get('default_args') or {}), **cfg}
            if 'type' not in given:
                raise ValueError(f'{cfg!r} has no type; expected dict(type=...) of a {self.name}.')
            component = given['type']
            component = self.get(component) if isinstance(component, str) else component
            check_arguments(component, given)
            _check_complete(component, given)
        return super().build(cfg, *args, **kwargs)


def _child(name: str, parent: Registry, *locations: str) -> ComponentRegistry:
    return ComponentRegistry(
        name, parent=parent, scope=SCOPE, locations=[f'{SCOPE}.{loc}' for loc in locations]
    )


MODELS = _child('model', root.MODELS, 'models')
DATASETS = _child('dataset', root.DATASETS, 'datasets')
DATA_SAMPLERS = _child('data sampler', root.DATA_SAMPLERS, 'datasets')
TRANSFORMS = _child('transform', root.TRANSFORMS, 'datasets.transforms')
HOOKS = _child('hook', root.HOOKS, 'engine')
LOOPS = _child('loop', root.LOOPS, 'evaluation', 'engine')
METRICS = _child('metric', root.METRICS, 'evaluation')
OPTIMIZERS = _child('optimizer', root.OPTIMIZERS, 'engine')
OPTIM_WRAPPERS = _child('optim wrapper', root.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optim wrapper constructor', root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine'
)
PARAM_SCHEDULERS = _child('param scheduler', root.PARAM_SCHEDULERS, 'engine')
MODEL_WRAPPERS = _child('model wrapper', root.MODEL_WRAPPERS, 'models')
WEIGHT_INITIALIZERS = _child('weight initializer', root.WEIGHT_INITIALIZERS, 'engine')
RUNNERS = _child('runner', root.RUNNERS, 'engine')
RUNNER_CONSTRUCTORS = _child('runner constructor', root.RUNNER_CONSTRUCTORS, 'engine')
EVALUATOR = _child('evaluator', root.EVALUATOR, 'evaluation')
TASK_UTILS = _child('task util', root.TASK_UTILS, 'models')
FUNCTIONS = _child('function', root.FUNCTIONS, 'datasets')
VISUALIZERS = _child('visualizer', root.VISUALIZERS, 'visualization')
VISBACKENDS = _child('vis_backend', root.VISBACKENDS, 'visualization')
LOG_PROCESSORS = _child('log_processor', root.LOG_PROCESSORS, 'engine')
STRATEGIES = _child('strategy', root.STRATEGIES, 'engine')
INFERENCERS = _child('inferencer', root.INFERENCERS, 'models')


def own_registries() -> list[ComponentRegistry]:
    """Return the registries of this project; that of models comes first."""
    return [value for value in globals().values() if isinstance(value, ComponentRegistry)]


def registry_of(name: str) -> ComponentRegistry:
    """Return the registry that holds the component called ``name``, or whose parent does.

    Raises:
        KeyError: There is none; lists the nearest names of all registries.
    """
    for registry in own_registries():
        if name in registry:
            return registry
    every = {known for registry in own_registries() for known in registry.module_dict}
    raise KeyError(
        f'{name!r} is not a registered component. Nearest names: '
        f'{", ".join(nearest(name.split(".")[-1], every)) or "none"}. Check the spelling '
        '(tools/list.py components); a component of your own must be registered in '
        'mochi_mm.registry and its module imported.'
    )


def components() -> dict[str, tuple[ComponentRegistry, Any]]:
    """Return every component of this project with its registry, by name, sorted.

    Imports all of the package; the detection part where mmdet is installed.
    """
    found: dict[str, tuple[ComponentRegistry, Any]] = {}
    if find_spec('mmdet') is not None:
        import_module(f'{SCOPE}.transfer')
    for registry in own_registries():
        registry.import_from_location()
        for name, component in registry.module_dict.items():
            if component.__module__.split('.')[0] == SCOPE:
                found[name] = registry, component
    return dict(sorted(found.items()))
