"""Values of ``--cfg-options``, each of the kind of the setting that it replaces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mochi_mm.utils.shared_names import found

# dict(...) or {...}, by itself or in a list or tuple, and calls with several arguments: nothing
# that a command line should spell.
_NOT_HERE = re.compile(r'^[\[(\'"\s]*\{|^[^/\\]*\bdict\(|^[A-Za-z_][\w.]*\([^()]*,')
_WORDS_OF_TRUTH = ('yes', 'no', 'on', 'off', 'y', 'n')


class Options(dict[str, Any]):
    """Values by dotted key, and the words they were read from.

    Attributes:
        words: Text behind ``=`` by dotted key. Which kind of value it is shows only beside the
            setting that it replaces, see :func:`fitted`.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__({key: parse_value(key, text) for key, text in words.items()})
        self.words = dict(words)


def parse_options(words: Sequence[str]) -> Options:
    """Return ``--cfg-options`` as values by dotted key.

    A tool that passes its words through here, instead of having argparse do it, answers ``--help``
    without importing MMEngine.

    Args:
        words: ``KEY=VALUE`` each; of a key that comes twice, the last.

    Raises:
        ValueError: A word without '=', or a value that these words cannot say, such as a dict.
    """
    for word in words:
        if '=' not in word or word.startswith('='):
            raise ValueError(
                f'--cfg-options got {word!r}; expected KEY=VALUE, without spaces around "=". A '
                'value with spaces is quoted: "data_root=/data/My Images".'
            )
    return Options(dict(word.split('=', 1) for word in words))


def parse_value(key: str, text: str) -> Any:
    """Return ``text`` as a value: a number, True, False, None, a list, a tuple, a word.

    Args:
        key: Key of the setting, for errors.
        text: ``[1,2]``, ``(a,b)`` and ``1,2`` are sequences; a path with a comma in it is none.

    Raises:
        ValueError: A dictionary, a call, or a bracket that is not closed.
    """
    try:
        if _NOT_HERE.search(text):
            raise ValueError
        return _parse(text)
    except ValueError:
        raise ValueError(
            f'--cfg-options {key} has the value {text!r}; expected a number, a word, or a list or '
            'tuple of these. Single settings have dotted keys, such as model.head.temperature=0.1 '
            'or model.head.mixers.0.num=16; dicts and calls need a config of their own with '
            '_base_ = [the one given].'
        ) from None


def _parse(text: str) -> Any:
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in '\'"':
        return bare[1:-1]
    if bare[:1] in ('[', '('):
        if not bare.endswith(dict(zip('[(', '])', strict=True))[bare[0]]):
            raise ValueError
        items = [_parse(part) for part in _parts(bare[1:-1])]
        return tuple(items) if bare[0] == '(' else items
    if ',' in bare and '/' not in bare and '\\' not in bare:
        return [_parse(part) for part in _parts(bare)]
    return _single(text)


def _parts(text: str) -> list[str]:
    """Split at the commas outside all brackets; raise ``ValueError`` where these do not match."""
    parts, depth, start = [], 0, 0
    for i, character in enumerate(text):
        depth += (character in '[(') - (character in '])')
        if depth < 0:
            raise ValueError
        if character == ',' and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    if depth:
        raise ValueError
    return [*parts, text[start:].strip()] if text[start:].strip() else parts


def _single(text: str) -> Any:
    word = text.strip()
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    known = {'true': True, 'false': False, 'True': True, 'False': False, 'None': None}
    return known.get(word, text)


def fitted(options: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``options`` with each value of the kind of what it replaces.

    A word stays a word where a word stood, whatever it looks like: ``2012``, ``/data/a,b`` and
    ``My Images (1)``. True, False, None and what has brackets are what they look like.

    Args:
        options: Options from :func:`parse_options`; any other mapping keeps its values.
        settings: The config without these options.

    Raises:
        ValueError: A word for a number, or another one than True and False for one of these.
    """
    words = options.words if isinstance(options, Options) else {}
    return {
        key: _fit(key, words[key], value, settings) if key in words else value
        for key, value in options.items()
    }


def _fit(key: str, text: str, value: Any, settings: Mapping[str, Any]) -> Any:
    there, old = found(settings, key.split('.'))
    if not there or old is None:
        return text if key in TEXTS and value is not None else value
    if isinstance(old, str):
        sequence = text.strip()[:1] in ('[', '(') and isinstance(value, (list, tuple))
        return value if value is None or isinstance(value, bool) or sequence else _plain(text)
    if isinstance(old, bool):
        if isinstance(value, str) and value.lower() in _WORDS_OF_TRUTH:
            raise ValueError(f'--cfg-options {key}={text}: expected True or False, as in {old}.')
    elif isinstance(old, (int, float)):
        wrong = isinstance(value, str) and not value.startswith('$')
        if wrong or (isinstance(value, list) and text.strip()[:1] != '['):
            raise ValueError(
                f'--cfg-options {key}={text}: {text!r} is no number; expected one, such as the '
                f'{old!r} that it replaces.'
            )
    elif isinstance(old, (list, tuple)) and isinstance(value, (list, tuple)):
        return type(old)(value)
    return value


#: Settings that are a text where the config says nothing of them.
TEXTS = ('work_dir', 'load_from', 'pretrained', 'checkpoint_key', 'experiment_name')


def _plain(text: str) -> str:
    bare = text.strip()
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in '\'"'
    return bare[1:-1] if quoted else text


def refuse_both(options: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Raise where an argument of a tool and an option set the same setting.

    Args:
        options: Values by dotted key.
        arguments: Values of the command line's own arguments, by dotted key; empty or
            False where it was not given.

    Raises:
        ValueError: Both were given, so that one of them would be ignored.
    """
    for key, argument in arguments.items():
        if argument and key in options:
            raise ValueError(
                f'--cfg-options {key}={options[key]} and {argument} both say what {key} is; '
                'expected one of the two.'
            )
