"""Weight files made to mislead, to hide or to keep busy whoever recognizes them.

python -m pytest tests/faults/test_hostile_weights.py
"""

from __future__ import annotations

import io
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.file_kind import other_kind
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.weight_sets import weights_of
from tests.faults.limited import within_seconds
from tests.files.test_load_weights import behind, network, save
from tests.models.algorithms.toy import build_moco

SECONDS = 20
ONE = torch.zeros(1)


def doubled() -> dict[str, Any]:
    """Forty dicts with 2 ** 40 paths through them."""
    node: dict[str, Any] = dict(w=ONE)
    for _ in range(40):
        node = dict(left=node, right=node)
    return dict(state_dict={}, other=node)


def circle() -> dict[str, Any]:
    content: dict[str, Any] = dict(epoch=1)
    content['again'] = [content]
    return content


def deep() -> dict[str, Any]:
    node: dict[str, Any] = {'conv1.weight': ONE}
    for _ in range(200):
        node = dict(model=node)
    return node


def many_wrappers() -> dict[str, Any]:
    return {'module.' * 10**6 + 'x.weight': ONE, 'module.' * 10**6 + 'y.weight': ONE}


def many_prefixes() -> dict[str, Any]:
    """Each prefix holds enough names to be looked at."""
    return {f'a{i // 40}.b.c.weight{i}': ONE for i in range(40000)}


def clearing() -> dict[str, Any]:
    return dict(state_dict={'\x1b[2J.conv1.weight': ONE}, **{'\x1b[2J': {'\x07.weight': ONE}})


def without_dimensions() -> dict[str, Any]:
    names = list(network().state_dict())
    return dict(state_dict={f'{side}.net.{name}': ONE[0] for side in 'ab' for name in names})


def two_of_one_name() -> dict[str, Any]:
    return dict(state_dict={'1': ONE, 1: ONE + 1})


def two_sets_of_one_name() -> dict[str, Any]:
    return {'a': {'b': {'x.weight': ONE}}, 'a.b': {'x.weight': ONE + 1}}


def numbers_in_disguise() -> dict[str, Any]:
    return dict(state_dict=dict.fromkeys(network().state_dict(), 3.0))


ATTACKS: dict[str, tuple[Callable[[], Any], str]] = {
    'two to the fortieth paths': (doubled, 'no tensors|was not recognized'),
    'a circle': (circle, 'no tensors'),
    'depth': (deep, 'no tensors'),
    'a million wrappers': (many_wrappers, 'was not recognized'),
    'forty thousand names': (many_prefixes, 'was not recognized'),
    'control characters': (clearing, r'was not recognized: .*\\x1b'),
    'kernels without dimensions': (without_dimensions, 'holds the backbone 2 times'),
    'two weights of one name': (two_of_one_name, 'two things of one name in state_dict'),
    'two sets of one name': (two_sets_of_one_name, r'two things of one name in a\.b'),
    'numbers in the place of weights': (numbers_in_disguise, 'no tensors'),
}


@pytest.mark.parametrize('name', ATTACKS)
def test_what_misleads_or_keeps_busy(name: str, tmp_path: Path) -> None:
    make, message = ATTACKS[name]
    path = save(tmp_path, make())
    model = build_moco()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with within_seconds(SECONDS), pytest.raises(ValueError, match=message) as error:
        load_backbone(model, path)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    text = str(error.value)
    assert len(text) < 3000 and text.isprintable()


def test_text_of_a_file_chooses_nothing(tmp_path: Path) -> None:
    """What a file calls itself is shown, escaped; it is taken by its names and shapes alone."""
    net = network()
    model = build_moco()
    prefix = '{0.__class__}\x1b[2J.' + 'x' * 5000 + '.'
    content = {'__import__("os")': dict(note='state_dict'), **behind(prefix, net)}
    told = load_backbone(model, save(tmp_path, content))
    assert torch.equal(model.backbone.conv1.weight, net.conv1.weight)
    assert told.isprintable() and len(told) < 1000


def test_a_list_of_networks(tmp_path: Path) -> None:
    """What lies in a list is seen, and can be chosen."""
    nets = [network(seed) for seed in (1, 2)]
    content = dict(models=[net.state_dict() for net in nets])
    path, model = save(tmp_path, content), build_moco()
    with pytest.raises(ValueError, match=r'several sets of weights: models\.0 \(72\), models\.1'):
        load_backbone(model, path)
    assert 'taken from models.1' in load_backbone(model, path, checkpoint_key='models.1')
    assert torch.equal(model.backbone.conv1.weight, nets[1].conv1.weight)
    alone = save(tmp_path, dict(models=[nets[0].state_dict()]))
    assert '; taken from models.0' in load_backbone(model, alone)


def endless_tar(path: Path) -> None:
    """A header whose size is negative, on which Python's reader turns for ever."""
    info = tarfile.TarInfo('x')
    header = bytearray(info.tobuf())
    header[124:136] = b'\xff' * 12
    checksum = sum(header[:148]) + 8 * 32 + sum(header[156:])
    header[148:156] = f'{checksum:06o}\0 '.encode()
    path.write_bytes(bytes(header) * 4)


def long_word(path: Path) -> None:
    """A pickle whose first word says that it is of 2 ** 60 bytes."""
    path.write_bytes(b'\x80\x04\x8d' + (2**60).to_bytes(8, 'little') + b'x')


def half_an_archive(path: Path) -> None:
    np.savez(path.open('wb'), a=np.ones(1000))
    path.write_bytes(path.read_bytes()[:-30])


def archive_of_objects(path: Path) -> None:
    np.savez(path.open('wb'), a=np.array([dict()], dtype=object))


def program_in_an_archive(path: Path) -> None:
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('m/data.pkl', pickle.dumps(dict()))
        archive.writestr('m/constants.pkl', pickle.dumps(print))
        archive.writestr('m/code/__torch__.py', 'raise SystemExit')


KINDS = (endless_tar, long_word, half_an_archive, archive_of_objects, program_in_an_archive)


@pytest.mark.parametrize('write', KINDS)
def test_telling_the_kind_of_a_file_runs_and_waits_for_nothing(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / 'epoch_9.pth'
    write(path)
    with within_seconds(SECONDS), pytest.raises(ValueError, match=r'epoch_9\.pth'):
        read_checkpoint(path)


def test_any_bytes_have_a_kind_or_none() -> None:
    """A thousand torn and changed files: an answer each, no exception."""
    draw = random.Random(0)
    whole = io.BytesIO()
    torch.save(dict(a=torch.ones(3)), whole)
    sources = [whole.getvalue(), pickle.dumps(dict(a=[1, 2])), bytes(600), b'{"a": 1}']
    for number in range(1000):
        content = bytearray(sources[number % 4][: draw.randrange(700)])
        for _ in range(min(len(content), draw.randrange(4))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        found = other_kind(io.BytesIO(bytes(content)))
        assert found is None or found.startswith('is ')


def test_no_set_is_taken_from_what_is_no_network() -> None:
    """States of optimizers, and notes, are neither taken nor named."""
    content = dict(
        optimizer=dict(state={'a.weight': ONE}), meta=dict(x={'b.weight': ONE}), model={'w': ONE}
    )
    taken = weights_of(content, 'a.pth')
    assert taken.place == 'model' and not taken.beside
