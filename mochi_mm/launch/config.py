"""Reading a config with its command-line overrides, none of them ignored."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mochi_mm.launch.config_files import read_files
from mochi_mm.launch.known_settings import OF_A_RUN, OF_TOOLS, PRETRAINED
from mochi_mm.launch.options import fitted, parse_options
from mochi_mm.launch.overrides import Overrides
from mochi_mm.registry import nearest
from mochi_mm.utils.shared_names import resolve

__all__ = ['load_config', 'parse_options']


def load_config(
    path: str | Path,
    options: Mapping[str, Any] | None = None,
    of_tools: tuple[str, ...] = OF_TOOLS,
) -> Config:
    """Return the config at ``path`` with ``options`` applied and every shared name looked up.

    A name that the config shares (``'$data_root'``) has the value that the last child or an option
    gave it, wherever it stands.

    Args:
        path: A config file.
        options: Values by dotted key, as ``--cfg-options`` gives them.
        of_tools: Names that the caller reads beside the settings of a run.

    Raises:
        FileNotFoundError: No such file.
        KeyError: An option that is no setting of the config; a new name that nothing reads.
        ValueError: A config in another language than Python or in MMEngine's lazy style; an
            override that would change nothing.
        SyntaxError: A file that is no Python, with its name and line.
        ImportError: One of the config's ``custom_imports`` failed; the message is its own.
    """
    _check_path(path)
    files = read_files(path)
    raw = _read(path)
    settings = raw._cfg_dict.to_dict()
    values = fitted(options or {}, _resolved(raw, settings, {}, path).to_dict())
    for key in values:
        _check_known(key, settings, path)
    overrides = Overrides(files, settings, values, of_tools)
    linked = overrides.link()
    config = _resolved(raw, linked, values, path)
    overrides.check()
    return config


def _check_path(path: str | Path) -> None:
    if Path(path).suffix != '.py':
        raise ValueError(
            f'{path} is no config; expected a Python file (.py), or the name of one of the '
            f'project, {_near_paths(Path(path))}see configs/.'
        )
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'no config at {path}; {_near_paths(Path(path))}see configs/ for those that exist.'
        )


def _near_paths(path: Path) -> str:
    """Return a clause that names files like ``path``, beside it or in the folder of configs."""
    roots = [folder for folder in path.parents if folder.is_dir()][:1]
    roots += [Path('configs')] if Path('configs').is_dir() else []
    files = {file.name: file for root in roots for file in _configs(root)}
    close = nearest(path.with_suffix('.py').name, files, 2)
    return f'nearest: {", ".join(str(files[name]) for name in close)}; ' if close else ''


def _configs(root: Path) -> Iterator[Path]:
    yield from root.rglob('*.py') if 'configs' in root.parts else root.glob('*.py')


def _read(path: str | Path) -> Config:
    """Read a config; an import that fails tells its own reason, not where Python looked."""
    try:
        return Config.fromfile(str(path), lazy_import=False)
    except ImportError as error:
        first: BaseException = error
        while isinstance(first.__context__, ImportError):
            first = first.__context__
        text = f'{first}; {path} names it in custom_imports, see PYTHONPATH.'
        raise type(error)(text) from None
    except TypeError as error:
        if 'in child config cannot inherit' not in str(error):
            raise _in_file(error, path) from None
        raise ValueError(
            f'{path}: {str(error).split(" because ")[0][:200]}: the base has a single value or a '
            'reference there, so there is nothing to merge the dictionary into. Expected a whole '
            'one with _delete_=True, or dict(_copy_=NAME, ...) in the base.'
        ) from None
    except (ArithmeticError, AttributeError, LookupError, NameError, ValueError) as error:
        raise _in_file(error, path) from None


def _in_file(error: Exception, path: str | Path) -> Exception:
    """Return an error that names the line of a config at which Python stopped."""
    lines = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name == '<module>' and frame.f_globals.get('__name__') != '__main__'
    ]
    if not lines:
        text = str(error.args[0] if error.args else error)
        return ValueError(f'{path}: {text}') if isinstance(error, (KeyError, ValueError)) else error
    file, line = lines[-1]
    return ValueError(
        f'{file}, line {line}: {type(error).__name__}: {error}. Expected a config that Python can '
        "run; names of a base are written as references, such as '$data_root'."
    )


def _resolved(raw: Config, settings: Any, values: Mapping[str, Any], path: str | Path) -> Config:
    try:
        config = Config(settings, cfg_text=raw.text, filename=raw.filename)
        return resolve(config, values)
    except (KeyError, ValueError) as error:
        raise type(error)(f'{path}: {error.args[0]}') from None


def _check_known(key: str, settings: Mapping[str, Any], path: str | Path) -> None:
    """Raise where the first word of an option is no setting."""
    head = key.split('.')[0]
    if head == 'launcher':
        raise ValueError(f'--cfg-options {key} is not read; expected --launcher, beside it.')
    if head in settings or head in OF_A_RUN or head == PRETRAINED:
        return
    leaves = [leaf for leaf in _leaves(settings) if leaf.rsplit('.', 1)[-1] == head]
    close = [*leaves[:3], *nearest(head, [*settings, *OF_A_RUN])][:3]
    raise KeyError(
        f'--cfg-options {key}: {path} has no setting {head!r}. Nearest: '
        f'{", ".join(close) or "none"}.'
    )


def _leaves(node: Any, prefix: str = '') -> Sequence[str]:
    """Return the dotted names of all settings, the least deep first."""
    found: list[str] = []
    children: Any = ()
    if isinstance(node, Mapping):
        children = node.items()
    elif isinstance(node, (list, tuple)):
        children = enumerate(node)
    for key, child in children:
        name = f'{prefix}.{key}' if prefix else str(key)
        found += [name, *_leaves(child, name)]
    return sorted(found, key=lambda leaf: leaf.count('.'))
