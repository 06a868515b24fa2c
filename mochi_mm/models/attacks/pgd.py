"""Projected gradient ascent on images, with its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from mochi_mm.argument_kinds import check_argument_kinds
from mochi_mm.models.functional.perturbation import NORMS, Objective, pgd, random_in_ball
from mochi_mm.utils.checks import check_choice, check_integer, check_number


@dataclass(frozen=True)
class PGD:
    """Change images in [0, 1] within a ball so that an objective becomes large.

    All lengths are in units of the pixels, whatever a network normalizes with: 8 gray levels are
    ``8 / 255``. Equation: :func:`~mochi_mm.models.functional.perturbation.pgd`. The model behind
    the objective is asked as it is: put it in evaluation mode first
    (:func:`~mochi_mm.models.evaluating.evaluating`), or batch norms make the attack depend on
    the batch and move their running statistics.

    Args:
        epsilon: Radius of the ball: of each pixel with ``linf``, at most 1; of each image
            (Euclidean) with ``l2``.
        step_size: Length of a step; None for ``2 epsilon / steps``, which is a tenth of the radius
            for 20 steps, as in the evaluation of RoCL.
        steps: Number of steps.
        norm: ``linf`` or ``l2``.
        random_start: Start at a random point of the ball. A start at the image itself has no
            gradient where the objective is at its least there.

    Raises:
        ValueError: A setting out of range, such as a radius in gray levels.

    >>> weight = torch.tensor([[2.0, -1.0], [-1.0, 2.0]])
    >>> loss = lambda x: torch.nn.functional.cross_entropy(x @ weight.T, torch.tensor([0]))
    >>> attack = PGD(8 / 255, 2 / 255, steps=10, random_start=False)
    >>> attack(loss, torch.tensor([[0.6, 0.4]]))
    tensor([[0.5686, 0.4314]])
    """

    epsilon: float = 8 / 255
    step_size: float | None = None
    steps: int = 20
    norm: str = 'linf'
    random_start: bool = True

    def __post_init__(self) -> None:
        check_choice('norm', self.norm, NORMS)
        check_number('epsilon', self.epsilon, 8 / 255)
        if self.norm == 'linf' and self.epsilon > 1:
            raise ValueError(
                f'epsilon is {self.epsilon!r}; expected a share of the range of a pixel, above 0 '
                f'and at most 1: {self.epsilon:g} gray levels are {self.epsilon:g} / 255.'
            )
        if self.step_size is not None:
            check_number('step_size', self.step_size, 2 / 255)
            if self.norm == 'linf' and self.step_size > 1:
                raise ValueError(
                    f'step_size is {self.step_size!r}; expected a share of the range of a pixel, '
                    f'at most 1: {self.step_size:g} gray levels are {self.step_size:g} / 255.'
                )
            if self.step_size > 2 * self.epsilon:
                raise ValueError(
                    f'step_size is {self.step_size:g} and epsilon {self.epsilon:g}: a step would '
                    'leave the ball from wherever it begins; expected at most twice the radius.'
                )
        check_integer('steps', self.steps, 20)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> PGD:
        """Return the attack of a config.

        Args:
            settings: Arguments by name.

        Raises:
            ValueError: One that there is not, or of another kind; one out of range.
        """
        known = {field.name: str(field.type) for field in fields(cls)}
        if strangers := sorted(set(settings) - set(known)):
            raise ValueError(
                f'attack has {", ".join(map(repr, strangers))}, which {cls.__name__} does not '
                f'have; expected some of {", ".join(known)}.'
            )
        check_argument_kinds(known, settings, 'attack')
        return cls(**settings)

    @property
    def length(self) -> float:
        """Return the length of a step."""
        return 2 * self.epsilon / self.steps if self.step_size is None else self.step_size

    def __call__(
        self, objective: Objective, images: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the changed images, (n, 3, H, W) in [0, 1], constants.

        Args:
            objective: A scalar of such images, their sum or mean.
            images: (n, 3, H, W) in [0, 1].
            generator: Source of the random start.

        Raises:
            ValueError: A Euclidean radius as large as the space of images.
        """
        widest = math.sqrt(images[0].numel())
        if self.epsilon > widest:
            raise ValueError(
                f'epsilon is {self.epsilon!r} but images of {images[0].numel()} values in [0, 1] '
                f'are at most {widest:g} apart (l2); divide what is meant in gray levels by 255.'
            )
        start = None
        if self.random_start:
            start = random_in_ball(images, self.epsilon, self.norm, generator)
        return pgd(objective, images, self.epsilon, self.length, self.steps, self.norm, start)
