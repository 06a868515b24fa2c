"""Layer-wise adaptive rates, from timm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch.optim import Optimizer

from mochi_mm.registry import OPTIMIZERS


@OPTIMIZERS.register_module(name='LARS')
def lars(
    params: Iterable[Any],
    lr: float,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    trust_coeff: float = 0.001,
    nesterov: bool = False,
) -> Optimizer:
    """Return timm's ``Lars`` (You et al. 2017, arXiv 1708.03888).

    A parameter group without weight decay is not adapted either. So excluding norms and biases from
    both, as large-batch recipes do, takes ``paramwise_cfg=dict(norm_decay_mult=0.0,
    bias_decay_mult=0.0)`` of the optim wrapper.

    Args:
        params: Parameters or groups of them.
        lr: Learning rate.
        momentum: Momentum of the adapted gradient.
        weight_decay: Added to the gradient before it is adapted.
        trust_coeff: Factor on the ratio of the norms of weights and gradient.
        nesterov: Nesterov's momentum.

    Raises:
        ImportError: timm is not installed.
    """
    try:
        from timm.optim import Lars
    except ImportError as error:
        raise ImportError(
            "LARS comes from timm, which is not installed: pip install 'mochi_mm[timm]', or train "
            "with optim_wrapper.optimizer.type='SGD' (then the learning rate does not carry over)."
        ) from error
    return Lars(
        params,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        trust_coeff=trust_coeff,
        nesterov=nesterov,
    )
