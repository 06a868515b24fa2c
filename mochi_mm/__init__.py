"""mochi_mm: contrastive pre-training with hard negatives mixed in feature space.

Importing the package registers its scope: registries are declared here and fill themselves
from :mod:`mochi_mm.registry` locations when a component is first looked up.

``mochi_mm.build(config)``, ``mochi_mm.get_model(name)``, ``mochi_mm.list_models(pattern)`` and
``mochi_mm.FeatureInferencer(name, weights)`` are imported when they are first used, so that the
import stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mochi_mm import registry
from mochi_mm.utils.versions import warn_if_untested
from mochi_mm.version import __version__

if TYPE_CHECKING:
    from mochi_mm.launch.build import build
    from mochi_mm.launch.feature_inferencer import FeatureInferencer
    from mochi_mm.launch.get_model import get_model
    from mochi_mm.launch.named_configs import list_models

warn_if_untested()

_WHERE = dict(
    FeatureInferencer='mochi_mm.launch.feature_inferencer',
    build='mochi_mm.launch.build',
    get_model='mochi_mm.launch.get_model',
    list_models='mochi_mm.launch.named_configs',
)

__all__ = [
    'FeatureInferencer',
    '__version__',
    'build',
    'get_model',
    'list_models',
    'registry',
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
