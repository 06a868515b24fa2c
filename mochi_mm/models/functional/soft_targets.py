"""Soft targets over a memory: similarity of the own key and each row (Denize et al. 2023, SCE)."""

from __future__ import annotations

import torch
from torch import Tensor

OWN_SLOTS = ('masked', 'zero')


def soft_targets(
    similarity: Tensor, temperature: float, own_weight: float, own_slot: str = 'masked'
) -> Tensor:
    """Return the share of each memory row in the target; the own key has the rest up to 1.

    ``(1 - own_weight) * softmax(similarity / temperature)``. With ``own_slot='zero'`` the softmax
    has one more entry with the logit 0, the own key's, as in the authors' code: its share goes to
    the own key.

    Args:
        similarity: (B, K) cosines of the own keys with the rows; -inf where a row is dropped.
        temperature: Temperature of the softmax, > 0.
        own_weight: lambda, in [0, 1]: 1 is InfoNCE.
        own_slot: ``masked`` (the equation) or ``zero`` (the code).

    Returns:
        (B, K) without gradient, zero in a row with nothing but -inf.
    """
    logits = similarity.detach() / temperature
    total = torch.logsumexp(logits, dim=1, keepdim=True)
    if own_slot == 'zero':
        total = torch.logaddexp(total, torch.zeros_like(total))
    # A row of -inf alone has no sum to divide by.
    total = total.masked_fill(total == -torch.inf, 0.0)
    return (1 - own_weight) * (logits - total).exp()


def check_own_weight(own_weight: float, own_slot: str) -> None:
    """Refuse settings that :func:`soft_targets` has no meaning for.

    Raises:
        ValueError: A weight outside [0, 1] or an unknown slot.
    """
    number = isinstance(own_weight, (int, float)) and not isinstance(own_weight, bool)
    if not number or not 0 <= own_weight <= 1:
        raise ValueError(
            f'own_weight is {own_weight!r}; expected the weight lambda of the own key, in [0, 1], '
            'such as 0.5.'
        )
    if own_slot not in OWN_SLOTS:
        raise ValueError(f'own_slot is {own_slot!r}; expected one of {", ".join(OWN_SLOTS)}.')
