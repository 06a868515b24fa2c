"""i-Mix: queries that show two images, with a target of two keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mochi_mm.models.functional.mix_images import cutmix, cutmix_box, mixup
from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor
from mochi_mm.models.view_editors.beta_share import BetaShare
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples, MixedInputs
from mochi_mm.utils.checks import check_choice

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm

KINDS = ('mixup', 'cutmix')


@MODELS.register_module()
class InstanceMix(BaseViewEditor):
    """Mix every query image with another of the batch; the keys stay as they are.

    ``x'_i = s_i x_i + (1 - s_i) x_p(i)``, p a random permutation, ``s = max(b, 1 - b)`` with b from
    Beta(alpha, alpha), so the image itself always has the larger share. Mixup draws one share for
    each image; CutMix one box for the batch, and the share is what the box leaves of the image.
    Partner and share go into the samples (:class:`MixedInputs`), and a head with two targets draws
    the query to the key of its image by ``s`` and to that of the partner by ``1 - s``. Partners are
    images of the same rank; an image may be its own. Which views are queries the algorithm says.
    Source: Lee et al., i-Mix: A Domain-Agnostic Strategy for Contrastive Representation Learning,
    ICLR 2021; code kibok90/imix.

    Args:
        kind: ``mixup`` or ``cutmix``.
        alpha: Parameter of the Beta distribution, above 0; the authors' 1.0, on ImageNet-1K 0.2.
        **kwargs: As in :class:`BaseViewEditor`.

    Raises:
        ValueError: An unknown kind, ``alpha`` not above 0; at a step, a batch of one image.

    >>> from mochi_mm.models.algorithms import InBatchContrast
    >>> model = InBatchContrast(dict(type='ResNet', depth=10, stem='small'), num_views=2)
    >>> editor = InstanceMix(kind='cutmix')
    >>> views, samples = editor([torch.zeros(4, 3, 8, 8)] * 2, {}, model)
    >>> sorted(samples), bool((samples['mix_share'] >= 0.5).all())
    (['mix_partner', 'mix_share'], True)
    """

    mixes_targets = True

    def __init__(self, kind: str = 'mixup', alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = check_choice('kind', kind, KINDS)
        self.draw_share = BetaShare(alpha)

    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return the views with their queries mixed, and the samples with partners and shares."""
        first = inputs[0]
        number = len(first)
        if number < 2:
            raise ValueError(
                'InstanceMix got a batch of one image, which has no other to be mixed with; set '
                'batch_size of the train_dataloader to 2 or more and drop_last=True.'
            )
        generator = self.generator(first.device)
        partner = torch.randperm(number, generator=generator, device=first.device)
        views = list(inputs)
        if self.kind == 'mixup':
            share = self.draw_share(number, generator)
            for view in model.query_views:
                views[view] = mixup(inputs[view], partner, share)
        else:
            share, center = self.draw_share(1, generator)[0], self._center(first, generator)
            box = cutmix_box(share, center, *first.shape[-2:])
            for view in model.query_views:
                views[view], kept = cutmix(inputs[view], partner, box)
            share = kept.expand(number)
        return views, MixedInputs(partner, share).added_to(samples)

    def _center(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return (2,) int64 row and column of a random pixel."""
        sides = [
            torch.randint(side, (), generator=generator, device=images.device)
            for side in images.shape[-2:]
        ]
        return torch.stack(sides)
