"""What a message costs in a ring, against passing the parts on one by one."""

from __future__ import annotations

import pytest

from mochi_mm.distributed.messages import Message, sent_bytes


def passed_on(operation: str, ranks: int, size: int) -> list[int]:
    """Send parts round a ring until everyone has what he needs; return the bytes each rank sent."""
    sent = [0] * ranks
    if operation == 'all_to_all_single':
        for rank in range(ranks):
            sent[rank] = sum(size // ranks for other in range(ranks) if other != rank)
    elif operation == 'all_gather':
        for _ in range(ranks - 1):
            for rank in range(ranks):
                sent[rank] += size
    else:  # each share goes round once to be added up, and once more to be told
        for _ in range(2):
            for _ in range(ranks - 1):
                for rank in range(ranks):
                    sent[rank] += size // ranks
    return sent


@pytest.mark.parametrize('operation', ['all_gather', 'all_reduce', 'all_to_all_single'])
@pytest.mark.parametrize('ranks', [1, 2, 3, 8])
def test_bytes_in_a_ring(operation: str, ranks: int) -> None:
    size = 24 * 7
    expected = passed_on(operation, ranks, size)
    assert set(expected) == {sent_bytes(Message('embeddings', operation, size), ranks)}


def test_what_is_not_known() -> None:
    with pytest.raises(ValueError, match=r"a message by 'gather'; expected one of all_gather"):
        sent_bytes(Message('labels', 'gather', 8), 2)
