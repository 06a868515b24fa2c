"""Bytes and messages of a step on paper: what each method hands over, rank by rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mochi_mm.distributed.messages import Message

_FLOAT, _INTEGER = 4, 8


_SMALL = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
#: A config of each method whose step is counted in seconds, below ``configs/``.
CONFIGS = {
    'mocov2': f'mocov2/mocov2_{_SMALL}',
    'mochi': f'mochi/mochi-256-128-64_{_SMALL}',
    'simclr': f'simclr/simclr_{_SMALL}',
    'supcon': f'supcon/supcon_{_SMALL}',
    'mocov3': 'mocov3/mocov3_vit-tiny4_1xb256-cosine-6e_cifar10-cpu.py',
    'paco': 'paco/paco_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py',
}
#: In one process they split the batch; among ranks images are exchanged, as in the paper.
SHUFFLED = ('mocov2', 'mochi')


@dataclass(frozen=True)
class StepSizes:
    """What the messages of a step are made of.

    Attributes:
        batch: B, images of a rank.
        dim: D, width of an embedding.
        pooled: C, width of the pooled features.
        image: Numbers of one view, 3 H W.
        parameters: P, trained numbers of the model.
    """

    batch: int
    dim: int
    pooled: int
    image: int
    parameters: int


def shuffled_images(s: StepSizes) -> list[Message]:
    """Return the messages of ``batch_shuffle='shuffle'``: images there, features back.

    Images are exchanged as normalized float32, pooled features (B, C) and embeddings (B, D) on the
    way back, of which the head then takes one; every row goes to one rank.
    """
    back = [_exchanged('embeddings', s.batch * width) for width in (s.pooled, s.dim)]
    return [_counts(), _exchanged('images', s.batch * s.image), *back]


def queue_write(s: StepSizes, keys: int = 1) -> list[Message]:
    """Return the messages of a memory that takes ``keys`` embeddings of each image.

    Labels and data set indices travel together, two integers a key.
    """
    rows = keys * s.batch
    return [_counts(), _rows(rows, s.dim), Message('labels', 'all_gather', 2 * rows * _INTEGER)]


def batch_candidates(s: StepSizes, ranks: int, views: int = 2) -> list[Message]:
    """Return the messages of in-batch candidates, (W V B, D), with gradient.

    On the way back every rank has a gradient for every candidate, and all of them are added up.
    """
    rows = views * s.batch
    back = Message('candidate gradients', 'all_reduce', ranks * rows * s.dim * _FLOAT)
    return [_counts(), _rows(rows, s.dim), back]


def batch_keys(s: StepSizes, targets: int) -> list[Message]:
    """Return the messages of the keys of ``targets`` views as candidates, without gradient."""
    return [_counts(), *(_rows(s.batch, s.dim) for _ in range(targets))]


def labels(rows: int) -> list[Message]:
    """Return the messages of ``rows`` labels of a rank, gathered on their own."""
    return [_counts(), Message('labels', 'all_gather', rows * _INTEGER)]


def mean_loss(heads: int = 1) -> list[Message]:
    """Return the messages of a loss whose mean is taken over all ranks: the number of anchors."""
    return heads * [Message('statistics', 'all_reduce', _FLOAT)]


def gradients(s: StepSizes) -> list[Message]:
    """Return the gradients of all trained numbers as one message; buckets divide it."""
    return [Message('gradients', 'all_reduce', s.parameters * _FLOAT)]


def _mocov2(s: StepSizes, ranks: int) -> list[Message]:
    return [*shuffled_images(s), *queue_write(s), *mean_loss(), *gradients(s)]


def _simclr(s: StepSizes, ranks: int) -> list[Message]:
    return [*batch_candidates(s, ranks), *mean_loss(), *gradients(s)]


def _supcon(s: StepSizes, ranks: int) -> list[Message]:
    return [*_simclr(s, ranks), *labels(2 * s.batch)]


def _mocov3(s: StepSizes, ranks: int) -> list[Message]:
    return [*batch_keys(s, 2), *mean_loss(), *gradients(s)]


def _paco(s: StepSizes, ranks: int) -> list[Message]:
    queries = [*batch_candidates(s, ranks, 1), *labels(s.batch)]
    keys = [*batch_keys(s, 1), *labels(s.batch)]
    return [*queries, *keys, *queue_write(s), *mean_loss(), *gradients(s)]


#: The messages of a rank in a step of each method, from its sizes and the number of ranks W.
METHODS: Mapping[str, Callable[[StepSizes, int], list[Message]]] = {
    'mocov2': _mocov2,
    'mochi': _mocov2,  # synthesizing is each rank's own
    'simclr': _simclr,
    'supcon': _supcon,
    'mocov3': _mocov3,
    'paco': _paco,
}


def totals(messages: Iterable[Message]) -> Counter[Message]:
    """Return how often each message comes, gradients as one: buckets divide them as they like."""
    counted: Counter[Message] = Counter()
    averaged = 0
    for message in messages:
        if message.kind == 'gradients':
            averaged += message.bytes
        else:
            counted[message] += 1
    counted[Message('gradients', 'all_reduce', averaged)] += 1
    return counted


def _counts() -> Message:
    """Return the exchange of the number of rows, between CPUs."""
    return Message('counts', 'all_gather', _INTEGER)


def _exchanged(kind: str, numbers: int) -> Message:
    return Message(kind, 'all_to_all_single', numbers * _FLOAT)


def _rows(rows: int, width: int) -> Message:
    return Message('embeddings', 'all_gather', rows * width * _FLOAT)
