"""AutoAttack, through the package pyautoattack."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from mochi_mm.evaluation.robustness.pixel_classifier import PixelClassifier
from mochi_mm.models.attacks import PGD
from mochi_mm.models.evaluating import evaluating
from mochi_mm.randomness.random_state import preserved_random_state

NORMS = dict(linf='Linf', l2='L2')


def auto_attack(
    classifier: PixelClassifier,
    batches: Iterable[Mapping[str, Any]],
    epsilon: float,
    norm: str = 'linf',
    seed: int = 0,
    device: torch.device | str = 'cpu',
    version: str = 'standard',
    attacks: list[str] | None = None,
) -> float:
    """Return the accuracy in percent under AutoAttack (Croce and Hein, ICML 2020).

    Args:
        classifier: Function of pixels.
        batches: Of one view each, uint8, with labels.
        epsilon: Radius of the ball, see :class:`~mochi_mm.models.attacks.PGD`.
        norm: ``linf`` or ``l2``.
        seed: Random seed of its draws.
        device: Where the network is.
        version: ``standard``; ``custom`` with ``attacks``.
        attacks: Its attacks by name, such as ``apgd-ce``.

    Raises:
        ImportError: The package is not installed.
        ValueError: A radius out of range, or no batch.
    """
    PGD(epsilon, norm=norm)  # refuses a radius in another unit
    attacker = attack_package().AutoAttack(
        classifier,
        norm=NORMS[norm],
        eps=epsilon,
        seed=seed,
        version=version,
        attacks=attacks,
        device=device,
    )
    right = seen = 0
    with evaluating(classifier), preserved_random_state():
        for batch in batches:
            (images,), labels = batch['inputs'], batch['data_samples']['gt_label'].to(device)
            pixels = images.to(device) / 255
            # The images, and what they are taken for.
            changed, _ = attacker.run_standard_evaluation(pixels, labels, batch_size=len(labels))
            with torch.no_grad():
                right += int((classifier(changed).argmax(1) == labels).sum())
            seen += len(labels)
    if not seen:
        raise ValueError('the loader gave no batch; its data set is empty.')
    return 100 * right / seen


def attack_package() -> Any:
    """Return the package.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return importlib.import_module('pyautoattack')
    except ImportError as error:
        raise ImportError(
            'AutoAttack needs the package pyautoattack, which is not installed: pip install -e '
            '.[attacks]; or leave --auto-attack out.'
        ) from error
