"""A stage between the data preprocessor and the encoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.argument_kinds import is_number
from mochi_mm.randomness import StepKey
from mochi_mm.structures import DataSamples
from mochi_mm.utils.checks import check_integer, check_start

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm


class BaseViewEditor(BaseModule, ABC):
    """Edit the normalized views of a training batch: mix, mask or perturb them.

    An algorithm asks its editors one after the other, before the first encoder. An edit may use
    labels, the generator of the step and the model, and may add tensors to the samples for the
    head, such as the partners and shares of mixed images.

    Args:
        start_epoch: First epoch, counted from 0, that edits.
        probability: Share of the steps that edit, in (0, 1]; drawn anew each step, the same on all
            ranks.
        init_cfg: See MMEngine.

    Attributes:
        place: Number of editors of the same class before it in ``view_editors``. Each has draws of
            its own: two that cut a patch do not cut the same one.

    Raises:
        ValueError: A setting out of range.
    """

    #: Whether it mixes two images in a query, so that a head needs two targets for it.
    mixes_targets = False
    #: Kind of the views that the editor makes, which a head must ask for; None where it only
    #: changes those that are there.
    makes: str | None = None

    def __init__(
        self,
        start_epoch: int = 0,
        probability: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.start_epoch = check_integer('start_epoch', start_epoch, 10, least=0)
        if not is_number(probability) or not 0 < probability <= 1:
            raise ValueError(
                f'probability of {type(self).__name__} is {probability!r}; expected the share of '
                'steps that edit, in (0, 1]. To switch an editor off, take it out of view_editors.'
            )
        self.probability = probability
        self.epoch = 0
        self.step_key: StepKey | None = None
        self.place = 0

    def made(self, num_views: int) -> Sequence[int]:
        """Return the numbers of the views that are no views of an image any more; here none.

        They pass the encoder as a batch of their own, with batch statistics of their own.

        Args:
            num_views: Views that the pipeline makes, numbered from 0.
        """
        return ()

    def left(self, num_views: int) -> int:
        """Return how many views of an image there are behind the editor, those made not counted.

        Args:
            num_views: Views of an image before it.
        """
        return num_views

    def check_model(self, model: BaseAlgorithm) -> None:
        """Refuse a model that the editor cannot work with; here none.

        Called when the model is built, and again, whole, before the first iteration.

        Args:
            model: The algorithm, with its parts; ``num_views`` may not be set yet.
        """

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch, on the host, that cannot be edited; here none.

        The data preprocessor calls it before the batch is moved to the device.
        """

    def set_step(self, step_key: StepKey) -> None:
        """Key the random draws of the coming step; a hook calls it before each iteration."""
        self.step_key = step_key

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run, so nothing would ever be edited.
        """
        nothing = 'nothing would ever be edited'
        fix = 'lower it or take the editor out of view_editors'
        check_start(type(self).__name__, self.start_epoch, max_epochs, nothing, fix)
        self.epoch = epoch

    def forward(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return views and samples, edited where this step is one that edits.

        Args:
            inputs: V views (B, 3, H, W), normalized; they are left as they are.
            samples: Tensors (B,) by name.
            model: The algorithm, for editors that ask it.
        """
        if self.epoch < self.start_epoch or not self._drawn():
            return inputs, samples
        return self.edit(inputs, samples, model)

    @abstractmethod
    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return edited copies of views and samples.

        Args:
            inputs: V views (B, 3, H, W), normalized.
            samples: Tensors (B,) by name.
            model: The algorithm.
        """

    def generator(
        self, device: torch.device | str, per_rank: bool = True
    ) -> torch.Generator | None:
        """Return the generator of the step, None if no step was named."""
        if self.step_key is None:
            return None
        return self.step_key.generator(f'view editor {self._name}', device, per_rank)

    @property
    def _name(self) -> str:
        """Return what tells the draws of this editor from those of the others of its model."""
        kind = type(self).__name__
        return f'{kind} {self.place}' if self.place else kind

    def number(self) -> int:
        """Return a number below 2^62 that is drawn anew each step, on the host, for all ranks."""
        if self.step_key is None:
            return int(torch.randint(2**62, ()))
        stream = f'number of view editor {self._name}'
        return self.step_key.number(stream, per_rank=False) >> 1

    def _drawn(self) -> bool:
        """Return whether this step edits; drawn on the host, so nothing waits for a device."""
        if self.probability == 1:
            return True
        key, stream = self.step_key, f'steps of view editor {self._name}'
        generator = None if key is None else key.generator(stream, 'cpu', per_rank=False)
        return float(torch.rand((), generator=generator)) < self.probability


def views_before(editors: Sequence[nn.Module], last: BaseViewEditor | None, num_views: int) -> int:
    """Return how many views of an image reach an editor.

    Args:
        editors: Editors of an algorithm, in their order.
        last: The editor; None for what lies behind all of them.
        num_views: Views that the pipeline makes.
    """
    for editor in editors:
        if editor is last:
            break
        if isinstance(editor, BaseViewEditor):
            num_views = editor.left(num_views)
    return num_views


def views_behind(editors: Sequence[nn.Module], num_views: int) -> int:
    """Return how many views reach the heads, those made of images among them.

    Args:
        editors: Editors of an algorithm, in their order.
        num_views: Views that the pipeline makes.
    """
    known = [editor for editor in editors if isinstance(editor, BaseViewEditor)]
    made = [view + 1 for editor in known for view in editor.made(num_views)]
    return max(views_before(editors, None, num_views), *made, 0)


def number_editors(editors: Sequence[nn.Module]) -> None:
    """Give each editor its ``place`` among those of its class, so that no two draw the same."""
    seen: Counter[str] = Counter()
    for editor in editors:
        if isinstance(editor, BaseViewEditor):
            editor.place = seen[type(editor).__name__]
            seen[type(editor).__name__] += 1
