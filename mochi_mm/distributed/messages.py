"""What ranks hand to each other, message by message: a record of it, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

#: What a message carries.
KINDS = (
    'images',
    'embeddings',
    'candidate gradients',
    'labels',
    'gradients',
    'counts',
    'statistics',
    'agreement',
)
OPERATIONS = ('all_gather', 'all_reduce', 'all_to_all_single', 'broadcast')


@dataclass(frozen=True)
class Message:
    """One collective call of one rank.

    Attributes:
        kind: What is in it, one of :data:`KINDS`.
        operation: Which call of ``torch.distributed`` it is, one of :data:`OPERATIONS`.
        bytes: What this rank hands over; ranks may hand over different amounts.
    """

    kind: str
    operation: str
    bytes: int


def sent_bytes(message: Message, ranks: int) -> float:
    """Return the bytes that a rank sends for a message, and receives as well.

    By the algorithms of least volume, in a ring: gathering sends all but one of the parts on,
    reducing does so twice with a share of ``1 / ranks`` each, an exchange keeps the own share, a
    broadcast passes everything on once.

    Args:
        message: What one rank hands over.
        ranks: W, 1 for nothing to send.

    Raises:
        ValueError: An operation that is not known.

    >>> sent_bytes(Message('gradients', 'all_reduce', 100), 4)
    150.0
    """
    others = ranks - 1
    shares = dict(
        all_gather=float(others),
        all_reduce=2 * others / ranks,
        all_to_all_single=others / ranks,
        broadcast=min(others, 1.0),
    )
    if message.operation not in shares:
        raise ValueError(
            f'a message by {message.operation!r}; expected one of {", ".join(OPERATIONS)}.'
        )
    return shares[message.operation] * message.bytes
