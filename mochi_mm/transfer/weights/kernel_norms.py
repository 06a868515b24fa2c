"""Norms of fresh kernels for pre-trained ones, without changing the function of a network."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

# A convolution of torchvision's ResNet, and the batch norm behind it.
_CONVOLUTIONS = (
    (re.compile(r'conv(\d)\.weight$'), r'bn\1.'),
    (re.compile(r'downsample\.0\.weight$'), 'downsample.1.'),
)


def with_fresh_norms(
    tensors: Mapping[str, Tensor], fresh: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, float]]:
    r"""Scale each kernel to the norm of the one it replaces, and its batch norm with it.

    A kernel w before a batch norm has no scale of its own: with s = |fresh w| / |w|,

    .. math:: BN(s w * x; s \mu, s^2 \sigma^2) = BN(w * x; \mu, \sigma^2)

    up to the epsilon of the batch norm, in training as in evaluation. The step of SGD relative to
    the norm is proportional to :math:`1 / |w|^2` (van Laarhoven 2017, arXiv:1706.05350): kernels
    that grew in pre-training hardly move afterwards.

    Args:
        tensors: Weights of a ResNet under torchvision's names.
        fresh: Freshly initialized weights of the same names and shapes.

    Returns:
        All tensors, the scaled ones new; and s of each kernel, by name.

    Raises:
        ValueError: A kernel is zero or not finite, or has no batch norm behind it.
    """
    scaled, factors = dict(tensors), {}
    for name, kernel in tensors.items():
        norm = _norm_behind(name)
        if norm is None:
            continue
        mean, variance = f'{norm}running_mean', f'{norm}running_var'
        if mean not in tensors or variance not in tensors:
            raise ValueError(
                f'{name} has no {mean} and {variance}; expected a batch norm behind each '
                'convolution (fresh_norms=False loads the kernels as they are).'
            )
        size = float(kernel.double().norm())
        if not 0 < size < float('inf'):
            raise ValueError(f'{name} has the norm {size}; expected a number above 0: retrain.')
        factor = float(fresh[name].double().norm()) / size
        scaled[name] = kernel * factor
        scaled[mean] = tensors[mean] * factor
        scaled[variance] = tensors[variance] * factor**2
        factors[name] = factor
    return scaled, factors


def _norm_behind(name: str) -> str | None:
    for pattern, replacement in _CONVOLUTIONS:
        if pattern.search(name):
            return pattern.sub(replacement, name)
    return None
