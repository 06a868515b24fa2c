"""A step among many ranks on paper: what the network takes, from stated rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.distributed.messages import Message, sent_bytes


@dataclass(frozen=True)
class Network:
    """Rates of a network, as assumed.

    Attributes:
        bytes_per_second: Of one rank, each way, as reached.
        device_hop: Seconds from rank to rank of a message between devices.
        host_hop: The same between CPUs.
    """

    bytes_per_second: float
    device_hop: float
    host_hop: float


def hops(message: Message, ranks: int) -> int:
    """Return how many times in a row a message is passed on, in the ring that CPUs form.

    Gathering passes ``W - 1`` times, reducing twice as often; an exchange needs one pass for each
    other rank.

    >>> from mochi_mm.distributed.messages import Message
    >>> hops(Message('counts', 'all_gather', 8), 64)
    63
    """
    return (ranks - 1) * (2 if message.operation == 'all_reduce' else 1)


def message_seconds(message: Message, ranks: int, network: Network) -> float:
    """Return the seconds of a message.

    Between devices its bytes at the rate of the network, and ``log2 W`` hops of a tree; between
    CPUs (counts and agreements) the hops of a ring.
    """
    if message.kind in ('counts', 'agreement'):
        return hops(message, ranks) * network.host_hop
    depth = max(1, (ranks - 1).bit_length())
    return sent_bytes(message, ranks) / network.bytes_per_second + depth * network.device_hop


def step_seconds(
    messages: Sequence[Message],
    ranks: int,
    network: Network,
    encoders: float,
    backward: float,
) -> dict[str, float]:
    """Return the seconds of a step by part, and their sum as ``step``.

    Gradients travel while the backward pass goes on; only what exceeds it is waited for.

    Args:
        messages: What a rank hands over in the step.
        ranks: W.
        network: Assumed rates.
        encoders: Seconds that the encoders take, both ways.
        backward: Share of them in the backward pass.
    """
    parts = dict(encoders=encoders, gradients=0.0, hosts=0.0, others=0.0)
    for message in messages:
        kind = message.kind
        part = 'hosts' if kind in ('counts', 'agreement') else 'others'
        part = 'gradients' if kind == 'gradients' else part
        parts[part] += message_seconds(message, ranks, network)
    parts['gradients'] = max(0.0, parts['gradients'] - backward * encoders)
    return parts | dict(step=sum(parts.values()))
