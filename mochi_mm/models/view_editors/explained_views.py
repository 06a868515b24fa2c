"""Views that show only what a classifier goes by (ExCon)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from mochi_mm.models.evaluating import evaluating
from mochi_mm.models.explanations import check_layer, class_activation, find_layer
from mochi_mm.models.functional.grad_cam import heat_map, keep_hot
from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.known import require_known
from mochi_mm.utils.checks import check_share

if TYPE_CHECKING:
    from mochi_mm.models.algorithms import BaseAlgorithm


@MODELS.register_module()
class ExplainedViews(BaseViewEditor):
    """Replace the first view by the image with all masked that does not speak for its class.

    The last view of the pipeline is the image without augmentation, and is taken away. Grad-CAM of
    the true class at one layer, enlarged and from 0 to 1 in each image, says where the model's
    classifier looks; pixels whose heat is not above the threshold become the mean color. Where the
    classifier still finds the class in what is left, that is the first view; elsewhere the first
    view stays the random one that it was. ``masked`` (B,) among the samples says which were
    replaced. With ``background`` the masked images stand behind the views, and ``background`` (B,)
    says which of them the classifier got wrong: a head takes these for images of no class.

    The model is asked in evaluation mode, so no image depends on the others of the batch and the
    norm layers stay as they are; it costs three forward passes and a part of a backward pass. An
    image whose heat is the same everywhere is not replaced. Source: ExCon, and its authors' code
    (DarrenZhang01/ExCon), where the classifier learns in epochs of its own and the explainer asks
    the network in training mode.

    Args:
        layer: Name of a layer of the backbone whose output are maps, such as ``layer2.1.conv2``.
        background: Make background views, for :class:`ExConHead` with ``background``.
        threshold: Heat above which a pixel is kept, in [0, 1).
        rectify: Let what speaks against the class count as nothing, not as less than nothing.
        label_key: Name of the labels among the data samples.
        **kwargs: ``start_epoch``, ``probability`` and ``init_cfg`` of :class:`BaseViewEditor`.

    Raises:
        ValueError: A threshold out of range; when the model is built, no such layer, an editor
            before it, no head that classifies or one that learns from the first view, an algorithm
            with a fixed use of its views; at a batch, no plain view, or a layer of one cell.

    >>> editor = ExplainedViews(layer='layer2.1.conv2', background=True, start_epoch=50)
    >>> editor.makes, list(editor.made(num_views=3))
    ('background', [2])
    """

    def __init__(
        self,
        layer: str,
        background: bool = False,
        threshold: float = 0.5,
        rectify: bool = False,
        label_key: str = 'gt_label',
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.threshold = check_share('threshold', threshold, 0.5, zero=True)
        if self.threshold == 1:
            raise ValueError(
                'threshold is 1, above which no heat is, so that every image would be masked '
                'whole; expected a number below, such as 0.5.'
            )
        self.layer, self.background, self.rectify = layer, background, rectify
        self.label_key = label_key
        self.makes = 'background' if background else None
        self._tried = False

    def made(self, num_views: int) -> tuple[int, ...]:
        """Return the number of the background view, which takes the place of the plain one."""
        return (num_views - 1,) if self.background else ()

    def left(self, num_views: int) -> int:
        """Return the number of views without the plain one."""
        return num_views - 1

    def check_model(self, model: BaseAlgorithm) -> None:
        """Refuse a model without the layer, or without a classifier that can be asked.

        Raises:
            ValueError: Such a model.
        """
        from mochi_mm.models.algorithms.named_heads import classifier_of
        from mochi_mm.models.heads import AuxiliaryClassifierHead

        check_layer(model, self.layer)
        if model.view_editors[0] is not self:
            raise ValueError(
                'ExplainedViews takes the last view of the pipeline for the image without '
                f'augmentation, but {type(model.view_editors[0]).__name__} stands before it; '
                'expected one ExplainedViews, the first of view_editors.'
            )
        classifier = classifier_of(model)
        if isinstance(classifier, AuxiliaryClassifierHead) and 0 in classifier.views:
            raise ValueError(
                f'the classifier that ExplainedViews asks learns from the views '
                f'{list(classifier.views)}, of which the first is what it finds its class in, so '
                'that it would learn to accept whatever is masked; set its views to (1,).'
            )
        if classifier is None:
            raise ValueError(
                'ExplainedViews asks a classifier what it sees, and no head of '
                f'{type(model).__name__} classifies; add heads=dict(classifier=dict(type='
                "'AuxiliaryClassifierHead', num_classes=..., in_channels=..., views=(1,)))."
            )
        if not getattr(model, 'takes_more_views', False):
            raise ValueError(
                f'ExplainedViews takes a view away, and {type(model).__name__} has a use for each; '
                'expected InBatchContrast.'
            )

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch without labels.

        Raises:
            ValueError: A label is not known.
        """
        require_known(samples, self.label_key, 'ExplainedViews')

    def forward(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return views and samples; without the plain view, also where the editor rests."""
        sizes = [tuple(view.shape[2:]) for view in inputs]
        if len(inputs) < 3 or sizes[-1] != sizes[0]:
            raise ValueError(
                f'ExplainedViews is given views of the sizes {sizes}; expected at least two and '
                'behind them the image without augmentation, as large as the first: give MultiView '
                'a second pipeline for it, num_views=[2, 1], and set num_views of the model to 3.'
            )
        if not self._tried:
            self._check_cells(inputs[-1], model)
        edited, samples = super().forward(inputs, samples, model)
        return (inputs[:-1] if edited is inputs else edited), samples

    def edit(
        self, inputs: list[Tensor], samples: DataSamples, model: BaseAlgorithm
    ) -> tuple[list[Tensor], DataSamples]:
        """Return the views with masked images, and the samples with ``masked``."""
        *views, plain = inputs
        masked, kept, wrong = self.explain(plain, samples[self.label_key], model)
        views[0] = torch.where(kept[:, None, None, None], masked, views[0])
        samples = dict(samples, masked=kept)
        if self.background:
            return [*views, masked], dict(samples, background=wrong)
        return views, samples

    def explain(
        self, plain: Tensor, labels: Tensor, model: BaseAlgorithm
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masked images, which of them are good views, and which are classified wrong.

        Args:
            plain: (B, 3, H, W), normalized.
            labels: (B,) class that is explained.
            model: Algorithm with a head that classifies; left as it is.
        """

        def classify(images: Tensor) -> Tensor:
            classifier, features = model.classified([images])
            return classifier.logits(features)

        layer = find_layer(cast(nn.Module, model.backbone), self.layer)
        with evaluating(model), torch.no_grad():
            heat, _ = class_activation(classify, layer, plain, labels, self.rectify)
            warm, varies = heat_map(heat, (plain.shape[2], plain.shape[3]))
            masked = model.in_layout([keep_hot(plain, warm, self.threshold)])[0]
            right = classify(masked).argmax(1) == labels  # (B,)
        return masked, right & varies, ~right

    def _check_cells(self, plain: Tensor, model: BaseAlgorithm) -> None:
        """Refuse a layer whose map of an image is a single cell; asked once, at the first batch."""
        layer = find_layer(cast(nn.Module, model.backbone), self.layer)
        with evaluating(model):
            heat, _ = class_activation(model.extract_feat, layer, plain[:1])
        if heat[0].numel() == 1:
            raise ValueError(
                f'layer is {self.layer!r}, whose map of an image of {tuple(plain.shape[2:])} '
                'pixels is one cell, so that its heat is the same everywhere and no image would '
                'ever be masked; expected a layer before it, or larger images.'
            )
        self._tried = True
