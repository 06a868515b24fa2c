"""Names that other libraries give to the weights of a ResNet, turned into torchvision's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from torch import Tensor

_NUMBER = re.compile(r'([1-9])\.0\.conv1\.weight')
_TRANSFORMERS = re.compile(
    r'(?:resnet\.)?encoder\.stages\.(\d)\.layers\.(\d+)\.(?:layer\.(\d)|shortcut)\.'
    r'(convolution|normalization)\.'
)
_TRANSFORMERS_STEM = re.compile(r'(?:resnet\.)?embedder\.embedder\.(convolution|normalization)\.')
_DETECTRON2 = re.compile(r'(?:backbone\.)?(?:bottom_up\.)?stem\.conv1\.weight$')
_DETECTRON2_STAGE = re.compile(
    r'^(?:(?:backbone\.)?(?:bottom_up\.)?|roi_heads\.)(?=stem\.|res\d\.)'
)
_HALVES = (('l_to_ab.', 'encoder1.'), ('ab_to_l.', 'encoder2.'))


@dataclass(frozen=True)
class Style:
    """One way to name the weights.

    Attributes:
        name: How they are named, for people.
        rename: Returns torchvision's name of a weight.
    """

    name: str
    rename: Callable[[str], str]


def with_our_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Return weights under torchvision's names, and how they were named where otherwise.

    Two networks on channels of their own (CMC) get the names of ``SplitBackbone``.

    Args:
        tensors: Weights of a backbone, and of what lies beside it.
    """
    style = _style_of(tensors)
    if style is None:
        return dict(tensors), ''
    renamed = {style.rename(name): value for name, value in tensors.items()}
    return (renamed, style.name) if len(renamed) == len(tensors) else (dict(tensors), '')


def _style_of(names: Iterable[str]) -> Style | None:
    listed = set(names)
    number = _number_of_layer1(listed)
    if number is not None:
        return Style('as a list of its parts', lambda name: _from_numbered(name, number))
    if any(_DETECTRON2.match(name) for name in listed):
        return Style('as detectron2 does', from_detectron2)
    if any(_TRANSFORMERS_STEM.match(name) for name in listed):
        return Style('as transformers does', from_transformers)
    for halves in zip(*_HALVES, strict=True):
        if all(any(name.startswith(half) for name in listed) for half in halves):
            return Style('as two networks', partial(_from_halves, halves=halves))
    if any(re.match(r'layer\d\.\d+\.shortcut\.', name) for name in listed):
        return Style(
            'with shortcut for downsample',
            lambda n: re.sub(r'^(layer\d\.\d+\.)shortcut\.', r'\1downsample.', n),
        )
    return None


def _number_of_layer1(names: set[str]) -> int | None:
    """Return the place of layer1 in a list that begins with a convolution and its norm."""
    if '0.weight' not in names or '1.running_mean' not in names:
        return None
    numbers = [int(found[1]) for name in names if (found := _NUMBER.fullmatch(name))]
    first = min(numbers, default=0)
    return first if first in (2, 3, 4) else None  # without and with ReLU and pooling


def _from_numbered(name: str, layer1: int) -> str:
    number, _, rest = name.partition('.')
    if not number.isdecimal() or not rest:
        return name
    place = int(number)
    known = {0: 'conv1', 1: 'bn1', **{layer1 + i: f'layer{i + 1}' for i in range(4)}}
    return f'{known.get(place, number)}.{rest}'


def from_detectron2(name: str) -> str:
    """Return torchvision's name of detectron2's ``name``, that of a detector or of a backbone."""
    name = _DETECTRON2_STAGE.sub('', name)
    name = name.replace('shortcut.norm.', 'downsample.1.').replace('shortcut.', 'downsample.0.')
    name = re.sub(r'\bconv(\d)\.norm\.', r'bn\1.', name)
    name = re.sub(r'^res(\d)', lambda found: f'layer{int(found[1]) - 1}', name)
    return name.removeprefix('stem.')


def from_transformers(name: str) -> str:
    """Return torchvision's name of the ``name`` that transformers' ResNet has."""
    stem = _TRANSFORMERS_STEM.match(name)
    if stem:
        return f'{"conv1" if stem[1] == "convolution" else "bn1"}.{name[stem.end() :]}'
    found = _TRANSFORMERS.match(name)
    if found is None:
        return name
    stage, block, number, part = found.groups()
    place = f'layer{int(stage) + 1}.{block}.'
    norm = part == 'normalization'
    if number is None:
        place += f'downsample.{int(norm)}.'
    else:
        place += f'{"bn" if norm else "conv"}{int(number) + 1}.'
    return place + name[found.end() :]


def _from_halves(name: str, halves: tuple[str, ...]) -> str:
    for i, half in enumerate(halves):
        if name.startswith(half):
            return f'backbones.{i}.{name[len(half) :]}'
    return name
