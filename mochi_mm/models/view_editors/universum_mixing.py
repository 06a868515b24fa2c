"""Views of no class: each image mixed with one of another class."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch
from mmengine.logging import print_log
from torch import Tensor

from mochi_mm.models.functional.image_mixing import cutmix_boxes, other_class_partners, paste_box
from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor
from mochi_mm.models.view_editors.check_classes import check_classes
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts, DataSamples
from mochi_mm.structures.known import require_known
from mochi_mm.utils.checks import check_choice, check_open_share

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm

MODES = ('mixup', 'cutmix')


@MODELS.register_module()
class UniversumMixing(BaseViewEditor):
    """Add to V views V universum views, ``u = lambda x_j + (1 - lambda) x_i``, j of another class.

    The partners come from the first view of this rank's batch, each with the same probability,
    drawn for every view of every image. With CutMix a box of x_i, the same for the whole step, is
    pasted onto x_j. The views 0 to V - 1 stay as they are; V + v is made of v. A batch of a single
    class has no partners: its universum views are the images themselves, ``has_partner`` among the
    samples says so, and so does a warning, once. Source: Han and Chen, Universum-inspired
    Supervised Contrastive Learning, IEEE TIP 2023 (arXiv 2204.10695), and the authors' code.

    Args:
        partner_share: lambda, the partner's share, inside (0, 1); with CutMix within 0.05.
        mode: ``mixup`` or ``cutmix``.
        label_key: Name of the labels among the data samples.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A share outside (0, 1), an unknown mode; before the first iteration, images
            without a label or of one class alone; at the first batch, images too small for CutMix.

    >>> editor = UniversumMixing(partner_share=0.25)
    >>> own, other = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    >>> views = [torch.cat([own, other])]
    >>> views, samples = editor(views, dict(gt_label=torch.tensor([0, 1])), None)
    >>> len(views), views[1][:, 0, 0, 0].tolist()
    (2, [0.25, 0.75])
    """

    makes = 'universum'

    def __init__(
        self,
        partner_share: float = 0.5,
        mode: str = 'mixup',
        label_key: str = 'gt_label',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        # No start_epoch and no probability: the head needs the universum in every step.
        super().__init__(init_cfg=init_cfg)
        self.partner_share = check_open_share('partner_share', partner_share)
        self.mode = check_choice('mode', mode, MODES)
        self.label_key = label_key
        self._warned = False

    def made(self, num_views: int) -> range:
        """Return the numbers of the universum views, V to 2 V - 1."""
        return range(num_views, 2 * num_views)

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a training set without labels, or of one class.

        Raises:
            ValueError: Such a training set.
        """
        if self.label_key == 'gt_label':
            check_classes(facts, 'UniversumMixing', least=2)

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch without labels; say once where one has a single class.

        Raises:
            ValueError: A label is not known.
        """
        labels = require_known(samples, self.label_key, 'UniversumMixing')
        if self._warned or labels.device.type != 'cpu':  # to look would wait for an accelerator
            return
        if bool((labels == labels[0]).all()):
            self._warned = True
            print_log(
                f'a batch of {len(labels)} images has one class alone, so UniversumMixing leaves '
                'it as it is (share_mixed in the log is 0); if that is not rare, set a larger '
                'batch_size',
                'current',
                logging.WARNING,
            )

    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return the views and their universum views; samples with ``has_partner`` (B,)."""
        labels = require_known(samples, self.label_key, 'UniversumMixing')
        generator = self.generator(labels.device)
        partners, found = other_class_partners(labels, len(inputs), generator)  # (V, B), (B,)
        mixed = found[:, None, None, None]
        universum = [
            # Without a partner the view is mixed with itself, which leaves its bits.
            self._mix(view, torch.where(mixed, inputs[0][partner], view))
            for view, partner in zip(inputs, partners, strict=True)
        ]
        return [*inputs, *universum], dict(samples, has_partner=found)

    def _mix(self, images: Tensor, partners: Tensor) -> Tensor:
        """Return the mixtures (B, 3, H, W) of images and partners of that shape."""
        if self.mode == 'mixup':
            return torch.lerp(images, partners, self.partner_share)
        boxes = cutmix_boxes(*images.shape[2:], kept=self.partner_share)
        return paste_box(images, boxes[self._box(len(boxes))], partners)

    def _box(self, count: int) -> int:
        """Return the number of the step's box."""
        return self.number() % count
