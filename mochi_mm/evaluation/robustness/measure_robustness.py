"""Accuracy of a classifier on clean, attacked and corrupted images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.evaluation.robustness.corruptions import corrupt
from mochi_mm.evaluation.robustness.pixel_classifier import PixelClassifier
from mochi_mm.evaluation.robustness.settings import RobustnessSettings
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.functional.perturbation import Objective, fgsm, random_in_ball
from mochi_mm.randomness import StepKey
from mochi_mm.utils.progress import progress_bar

#: Of a batch: images (B, 3, H, W) uint8 and labels (B,), on the CPU, and which of a data set.
Batch = tuple[Tensor, Tensor, Tensor]


def measure_robustness(
    classifier: PixelClassifier,
    batches: Iterable[Mapping[str, Any]],
    settings: RobustnessSettings,
    device: torch.device | str = 'cpu',
    total: int | None = None,
) -> dict[str, float]:
    """Return the accuracies in percent, from the network in evaluation mode.

    ``clean``; ``pgd20_linf_8`` and so on for each radius, an image counting where it is classified
    right before and after the attack; ``noise_1`` to ``noise_5`` and so on for each corruption,
    and ``corrupted``, the mean of all of these. For the check of masked gradients
    (:func:`signs_of_masking`): ``fgsm_<radius>`` and ``random_<radius>``, a uniform draw from the
    ball, at the largest of the radii; ``pgd20_<large>``; ``no_gradient``, the percentage of images
    classified right whose gradient is 0 everywhere.

    Args:
        classifier: Function of pixels.
        batches: Of one view each, uint8, with labels and ``sample_idx``.
        settings: The options.
        device: Where the network is.
        total: Number of batches, for the bar.

    Raises:
        ValueError: No batch, several views, images that are no bytes, a sample without a label.
    """
    counts: dict[str, int] = {}
    seen = 0
    with evaluating(classifier):
        for number, batch in enumerate(progress_bar(batches, 'robustness', total or 0, True)):
            images, labels, indices = unpacked(batch)
            step = StepKey(settings.seed, number)
            hits = _hits(classifier, (images, labels, indices), settings, step, device)
            for name, right in hits.items():
                counts[name] = counts.get(name, 0) + int(right.sum())
            seen += len(labels)
    if not seen:
        raise ValueError('the loader gave no batch; its data set is empty.')
    found = {name: 100 * count / seen for name, count in counts.items()}
    if settings.large is not None:
        found['no_gradient'] = 100 * counts['no_gradient'] / max(1, counts['clean'])
    corrupted = [v for name, v in found.items() if name.split('_')[0] in settings.corruptions]
    if corrupted:
        found['corrupted'] = sum(corrupted) / len(corrupted)
    return found


def _hits(
    classifier: PixelClassifier,
    batch: Batch,
    settings: RobustnessSettings,
    step: StepKey,
    device: torch.device | str,
) -> dict[str, Tensor]:
    """Return (B,) bool by name: the images of a batch that are classified right."""
    images, labels, indices = batch[0], batch[1].to(device), batch[2]
    pixels = images.to(device) / 255
    _check_classified(classifier, pixels, batch[1])
    right = _right(classifier, labels)
    clean = right(pixels)
    hits = dict(clean=clean)

    def objective(changed: Tensor) -> Tensor:
        return F.cross_entropy(classifier(changed), labels, reduction='sum')

    def start(name: str) -> torch.Generator:
        return step.generator(f'attack {name}', device)

    for epsilon in [*settings.epsilons, *filter(None, [settings.large])]:
        name = f'pgd{settings.steps}_{settings.name(epsilon)}'
        hits[name] = clean & right(settings.attack(epsilon)(objective, pixels, start(name)))
    if settings.large is not None:
        radius, norm = max(settings.epsilons), settings.norm
        ball = settings.name(radius)
        change = random_in_ball(pixels, radius, norm, start('random'))
        hits[f'random_{ball}'] = clean & right((pixels + change).clamp(0, 1))
        hits[f'fgsm_{ball}'] = clean & right(fgsm(objective, pixels, radius, norm))
        hits['no_gradient'] = clean & _flat(objective, pixels)
    for corruption in settings.corruptions:
        for strength in range(1, 6):
            worse = corrupt(images, corruption, strength, indices, settings.seed).to(device) / 255
            hits[f'{corruption}_{strength}'] = right(worse)
    return hits


def _check_classified(classifier: PixelClassifier, pixels: Tensor, labels: Tensor) -> None:
    """Refuse images of other channels or classes than the network's, and a network that diverged.

    Raises:
        ValueError: As said.
    """
    mean = classifier.preprocessor.mean
    if pixels.shape[1] != mean.numel():
        raise ValueError(
            f'the images have {pixels.shape[1]} channels and the network {mean.numel()}; expected '
            'as many.'
        )
    with torch.no_grad():
        logits = classifier(pixels)
    if int(labels.max()) >= logits.shape[1]:
        raise ValueError(
            f'an image has the label {int(labels.max())} and the classifier {logits.shape[1]} '
            'classes; expected images of the classes that it was trained on.'
        )
    if not torch.isfinite(logits).all():
        raise ValueError(
            'the network gives logits that are not finite, which no attack can change; expected '
            'weights of a run that has not diverged.'
        )


def _right(classifier: PixelClassifier, labels: Tensor) -> Callable[[Tensor], Tensor]:
    def right(pixels: Tensor) -> Tensor:
        with torch.no_grad():
            return classifier(pixels).argmax(1) == labels

    return right


def _flat(objective: Objective, pixels: Tensor) -> Tensor:
    """Return (B,) bool, images at which the gradient of the objective is 0 everywhere."""
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(objective(pixels), pixels)
    return (gradient == 0).flatten(1).all(1)


def unpacked(batch: Mapping[str, Any]) -> Batch:
    """Return images, labels and indices of a batch.

    Raises:
        ValueError: They are not what is attacked.
    """
    views, samples = batch['inputs'], batch['data_samples']
    if len(views) != 1 or views[0].dtype != torch.uint8 or views[0].ndim != 4:
        kinds = [f'{tuple(view.shape)} of {view.dtype}' for view in views]
        raise ValueError(
            f'the views of a batch are {kinds}; expected one (B, 3, H, W) of uint8: an evaluation '
            "pipeline that ends in PackInputs, and collate_fn=dict(type='default_collate')."
        )
    labels = samples['gt_label']
    if bool((labels < 0).any()):
        raise ValueError(
            'a sample without a label (gt_label -1), whose attack has nothing to make wrong; use a '
            'data set with labels.'
        )
    return views[0], labels, samples['sample_idx']


def signs_of_masking(found: Mapping[str, float], settings: RobustnessSettings) -> list[str]:
    """Return what speaks for gradients that are masked, sentence by sentence; none where nothing.

    An attack that follows useless gradients makes a network look robust. Then one long step finds
    more than many short ones, a random change more than an attack, gradients vanish, or images are
    still right where the ball holds any image. Source: Athalye et al., ICML 2018 (recalled).

    Args:
        found: Of :func:`measure_robustness`.
        settings: The options that it had.
    """
    if settings.large is None:
        return []
    ball, large = settings.name(max(settings.epsilons)), settings.name(settings.large)
    attack = f'pgd{settings.steps}'
    many, one, drawn = (found[f'{kind}_{ball}'] for kind in (attack, 'fgsm', 'random'))
    left, flat = found[f'{attack}_{large}'], found['no_gradient']
    signs = {
        f'one step leaves {one:.2f} %, {settings.steps} steps leave {many:.2f} %': many > one,
        f'a random change leaves {drawn:.2f} %, the attack leaves {many:.2f} %': many > drawn,
        f'{left:.2f} % are still right at a radius of {large}': left > 1,
        f'{flat:.2f} % of the images have no gradient': flat > 1,
    }
    return [sign for sign, shows in signs.items() if shows]
