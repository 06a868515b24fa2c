"""Views changed so that the contrastive loss becomes large: adversarial pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mochi_mm.models.attacks import PGD, contrastive_objective
from mochi_mm.models.attacks.contrastive_objective import (
    attacked_head,
    check_attacked,
    preprocessor_of,
)
from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor, views_before
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm

#: The attack of ACL's training.
ATTACK = dict(epsilon=8 / 255, step_size=2 / 255, steps=5)


@MODELS.register_module()
class AdversarialViews(BaseViewEditor):
    """Attack views of an image against its others, without labels, and append or replace them.

    The attacked views climb the loss of ``model.head`` together, all others staying as they are,
    with the model in evaluation mode; its norm layers, its memory and its gradients are left alone.
    ``views=(0,)`` of two is the attack of RoCL (Kim et al., NeurIPS 2020), ``views=(0, 1)`` that of
    ACL (Jiang et al., NeurIPS 2020). It costs ``attack.steps`` forward and backward passes.

    Args:
        attack: Settings of :class:`~mochi_mm.models.attacks.PGD`, in units of pixels; None takes
            those of ACL: 8/255 in 5 steps of 2/255.
        views: Numbers of the views that are attacked; of one size.
        append: Add the attacked views behind the others, for algorithms that take more
            (:class:`InBatchContrast`, :class:`AdversarialContrast`); False puts them in the place
            of those that they were made of.
        **kwargs: ``start_epoch``, ``probability`` and ``init_cfg`` of :class:`BaseViewEditor`.

    Raises:
        ValueError: A setting out of range; with a model, one that takes no more views, has no
            contrastive head or not these views; at the first step, one that converts colors.

    >>> editor = AdversarialViews(dict(epsilon=4 / 255, steps=3), views=(0,))
    >>> editor.attack.length * 255
    2.6666666666666665
    """

    def __init__(
        self,
        attack: Mapping[str, Any] | None = None,
        views: Sequence[int] = (0, 1),
        append: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.attack = PGD.of(ATTACK if attack is None else attack)
        self.views, self.append = tuple(sorted(views)), append
        if not self.views:
            raise ValueError('views is (): nothing would be attacked; expected numbers, as (0, 1).')

    def left(self, num_views: int) -> int:
        """Return the number of views with those that are appended."""
        return num_views + len(self.views) if self.append else num_views

    def check_model(self, model: BaseAlgorithm) -> None:
        """Refuse a model without a head to attack, without room for more views, or without these.

        Raises:
            ValueError: Such a model.
        """
        from mochi_mm.models.algorithms.named_heads import named_heads

        whole = model.num_views is not None
        if model.head is not None or whole:
            attacked_head(model)
        if self.append and not getattr(model, 'takes_more_views', False):
            raise ValueError(
                f'{type(model).__name__} does not see views beyond those of the pipeline; set '
                'append=False, or train with AdversarialContrast or InBatchContrast.'
            )
        if model.num_views is None:  # known once the model is whole
            return
        count = views_before(model.view_editors, self, model.num_views)
        online, _ = model.view_numbers(count)
        check_attacked(self.views, online, dict.fromkeys(self.views, ()))
        together = count if getattr(model, 'streams', 'joint') == 'dual' else self.left(count)
        for head in named_heads(model).values():
            most = getattr(head, 'max_views', None)
            if most is not None and together > most:
                raise ValueError(
                    f'AdversarialViews makes {together} views of {count}, but '
                    f'{type(head).__name__}, as it is set, compares at most {most} views of each '
                    'image; set append=False, or choose another head.'
                )

    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return the views with the attacked ones; samples stay."""
        preprocessor = preprocessor_of(model)
        encoders = getattr(model, 'encoders', ('online', 'online'))
        with evaluating(model), torch.no_grad():
            objective = contrastive_objective(model, inputs, self.views, samples, encoders)
            pixels = torch.cat([preprocessor.gray_levels(inputs[v]) / 255 for v in self.views])
            pixels = pixels.clamp(0, 1)
            generator = self.generator(pixels.device)
            changed = preprocessor.normalize(255 * self.attack(objective, pixels, generator))
        attacked = model.in_layout(changed.chunk(len(self.views)))
        if self.append:
            return [*inputs, *attacked], samples
        replaced = dict(zip(self.views, attacked, strict=True))
        return [replaced.get(view, images) for view, images in enumerate(inputs)], samples
