"""Likelihoods of an image among candidates, and how far two of them are apart."""

from __future__ import annotations

import torch
from torch import Tensor

#: What is a constant in the divergence: the entropy part, the first likelihood, or nothing.
FROZEN = ('entropy', 'target', 'none')


def log_likelihoods(logits: Tensor, candidates: Tensor) -> Tensor:
    """Return (B, M) the logarithm of the softmax over each image's candidates, -inf elsewhere.

    Args:
        logits: (B, M).
        candidates: (B, M) bool, at least one for each image.
    """
    return logits.masked_fill(~candidates, -torch.inf).log_softmax(1)


def likelihood_kl(log_p: Tensor, log_q: Tensor, frozen: str = 'target') -> Tensor:
    """Return (B,) ``KL(p || q) = E_p ln p - E_p ln q``, in nats.

    Args:
        log_p: (B, M) of :func:`log_likelihoods`.
        log_q: (B, M) over the same candidates.
        frozen: ``entropy``: no gradient of the first part (ReLIC's equation, recalled); ``target``:
            none into p, so that q follows p; ``none``: of everything.

    Raises:
        ValueError: An unknown choice.

    >>> p, q = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    >>> round(float(likelihood_kl(p, q)), 4), float(likelihood_kl(p, p))
    (0.1438, 0.0)
    """
    if frozen not in FROZEN:
        raise ValueError(f'frozen is {frozen!r}; expected one of {", ".join(FROZEN)}.')
    absent = torch.isneginf(log_p.detach())
    first = log_p.masked_fill(absent, 0.0)  # 0 * -inf would be NaN
    if frozen == 'target':
        first = first.detach()
    share = first.exp().masked_fill(absent, 0.0)
    entropy = (share * first).sum(1)
    cross = (share * log_q.masked_fill(absent, 0.0)).sum(1)
    return (entropy.detach() if frozen == 'entropy' else entropy) - cross


def drawn_others(
    images: int,
    number: int,
    generator: torch.Generator | None = None,
    device: torch.device | str = 'cpu',
) -> Tensor:
    """Return (images, images) bool, for each image ``number`` others, drawn without repeats.

    Args:
        images: M.
        number: n, from 1 to M - 1.
        generator: Of the step, the same on all ranks.
        device: Where they are drawn.

    >>> drawn = drawn_others(5, 2)
    >>> drawn.sum(1).tolist(), bool(drawn.diagonal().any())
    ([2, 2, 2, 2, 2], False)
    """
    chance = torch.rand(images, images, generator=generator, device=device)
    chance = chance.masked_fill(torch.eye(images, dtype=torch.bool, device=device), -1.0)
    index = chance.topk(number, dim=1).indices  # (M, n)
    return torch.zeros_like(chance, dtype=torch.bool).scatter(1, index, True)
