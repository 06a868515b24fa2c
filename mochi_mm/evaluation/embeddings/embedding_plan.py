"""What decides every byte of a file of embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from mochi_mm.evaluation.encoder import Encoder

VERSION = 1
#: Most images of a shard, whole batches; a kill costs at most these.
SHARD_IMAGES = 4096
_WORDS = dict(
    version='the layout of the file',
    weights='the weights of the backbone',
    network='the network or what normalizes its images',
    pipeline='the pipeline of the images',
    images='the list of images',
    count='the number of images',
    batch_size='the batch size',
    device='the device',
    torch='the version of torch',
)


def make_plan(
    encoder: Encoder, lines: Iterable[str], batch_size: int, device: str
) -> dict[str, Any]:
    """Return what decides every byte of the embeddings, as plain data.

    Args:
        encoder: The network.
        lines: A line for each image, see :func:`mochi_mm.datasets.any_images.image_lines`.
        batch_size: Images of a batch: kernels may round otherwise at another one.
        device: Device that computes, such as ``cuda:1``; its kind alone counts.
    """
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line.encode('utf-8') + b'\n')
        count += 1
    return dict(
        version=VERSION,
        weights=encoder.weights,
        network=encoder.network,
        pipeline=encoder.images,
        images=digest.hexdigest(),
        count=count,
        batch_size=batch_size,
        device=device.split(':')[0],
        torch=str(torch.__version__),
    )


def plan_changes(begun: Any, plan: Mapping[str, Any]) -> list[str]:
    """Return what differs between two plans, each as a part of a sentence.

    Args:
        begun: The plan of a former start, as it was read.
        plan: The plan of this one.
    """
    if not isinstance(begun, dict):
        return ['its plan cannot be read']
    found = []
    for name, words in _WORDS.items():
        old, new = begun.get(name), plan[name]
        if old != new:
            shown = f' ({old}, now {new})' if len(f'{old}{new}') < 200 else ''
            found.append(f'{words}{"" if name in ("weights", "images") else shown}')
    return found


def image_changes(old: Iterable[str], new: Iterable[str], most: int = 3) -> str:
    """Return which images are new, gone or changed, of lines as they were and as they are."""
    before, after = (dict(_by_name(lines)) for lines in (old, new))
    groups = {
        'new': [name for name in after if name not in before],
        'gone': [name for name in before if name not in after],
        'changed': [n for n, state in after.items() if before.get(n, state) != state],
    }
    told = [
        f'{len(names)} {kind}: {", ".join(names[:most])}{", ..." if len(names) > most else ""}'
        for kind, names in groups.items()
        if names
    ]
    return '; '.join(told) or 'another order'


def _by_name(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        state, _, name = line.rstrip('\n').partition(' ')
        yield name, state
