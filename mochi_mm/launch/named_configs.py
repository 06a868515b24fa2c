"""The configs that come with the project, by name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeGuard

from mochi_mm.registry import nearest

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel holds configs/ inside the package, a clone beside it.
_PLACES = (_PACKAGE / '.mim/configs', _PACKAGE.parent / 'configs')


def config_folder() -> Path:
    """Return the folder of the project's configs, in a clone or an installed wheel.

    Raises:
        FileNotFoundError: The package came without them.
    """
    for place in _PLACES:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f'no configs in {" or ".join(map(str, _PLACES))}; expected those of the project. Install '
        'a wheel (make wheel) or work in a clone.'
    )


def config_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the whole configs by name, sorted; what they inherit from (``_base_``) is left out.

    Args:
        folder: Folder of the configs; None for :func:`config_folder`.
    """
    folder = folder or config_folder()
    paths = (path for path in folder.rglob('*.py') if '_base_' not in path.parts)
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def list_models(pattern: str = '*') -> list[str]:
    """Return the names of the configs that :func:`mochi_mm.get_model` knows, sorted.

    Args:
        pattern: ``*``, ``?`` and ``[...]`` as in a shell; case is ignored.

    >>> list_models('mochi-*quickstart*')
    ['mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes']
    """
    return [name for name in config_files() if fnmatchcase(name.lower(), pattern.lower())]


def is_name(config: object) -> TypeGuard[str]:
    """Return whether this is the name of a config, neither a path nor a config.

    >>> is_name('mochi_resnet50'), is_name('mochi_resnet50.py'), is_name('configs/mochi')
    (True, False, False)
    """
    return isinstance(config, str) and not config.endswith('.py') and Path(config).name == config


def config_path(config: str) -> str:
    """Return the path of a config of the project that is given by its name.

    ``configs/...`` is looked for in the project as well, for an installed wheel has its configs
    inside the package. What lies here, or is no such name, stays as it is.

    >>> config_path('my/config.py')
    'my/config.py'
    """
    place = next((place for place in _PLACES if place.is_dir()), None)
    if place is None or Path(config).exists():
        return config
    found = config_files(place).get(config) if is_name(config) else None
    inside = place.parent / config
    if config.startswith('configs/') and inside.is_file():
        found = inside
    if found is None:
        return config
    return str(found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found)


def find_config(name: str) -> Path:
    """Return the path of the config called ``name``.

    Raises:
        KeyError: There is none; lists the nearest names.
    """
    files = config_files()
    if name not in files:
        close = [known for known in files if known.startswith(name)][:3] or nearest(name, files)
        raise KeyError(
            f'no config is called {name!r}. Nearest names: {", ".join(close) or "none"}. '
            'Expected the name of a file in configs/ without .py; mochi_mm.list_models() and '
            'tools/list.py configs list them.'
        )
    return files[name]
