"""Base class of all algorithms: encoders, heads, view editors, modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, overload

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.models.algorithms.cells_of import cells_of
from mochi_mm.models.algorithms.check_cells import check_cells
from mochi_mm.models.algorithms.check_fit import check_fit, check_widths
from mochi_mm.models.algorithms.named_heads import (
    check_head_names,
    classifier_of,
    join_losses,
    named_heads,
)
from mochi_mm.models.data_preprocessors import ViewDataPreprocessor
from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.models.view_editors.base_view_editor import number_editors
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.features import Features
from mochi_mm.structures.protocols import Backbone, Classifies, Head, Neck, ViewsHead
from mochi_mm.utils.checks import check_list

Losses = dict[str, Tensor]
Predictions = list[dict[str, Any]]


@overload
def build(component: None) -> None: ...


@overload
def build(component: dict | nn.Module) -> nn.Module: ...


def build(component: dict | nn.Module | None) -> nn.Module | None:
    """Return ``component`` itself if it is a module (or None), else the module built from it."""
    return MODELS.build(component) if isinstance(component, dict) else component


def pool(features: Tensor | Sequence[Tensor]) -> Tensor:
    """Return (B, C): the last feature map averaged over its positions, or a vector as it is."""
    last = features if isinstance(features, Tensor) else features[-1]
    return F.adaptive_avg_pool2d(last, 1).flatten(1) if last.ndim == 4 else last


def _beside(
    head: Head, online: Mapping[int, Features], target: Mapping[int, Features]
) -> dict[str, dict[int, Tensor]]:
    """Return the backbone features that a head is given beside those that it taps, if it is."""
    if not getattr(head, 'uses_features', False):
        return {}
    more = dict(features={view: part.before(head.tap) for view, part in online.items()})
    if target:
        more['target_features'] = {view: part.before(head.tap) for view, part in target.items()}
    return more


def only_view(inputs: Sequence[Tensor]) -> Tensor:
    """Return the one view in a list.

    Raises:
        ValueError: There are several.
    """
    if len(inputs) != 1:
        raise ValueError(
            f'features are taken from one view, got {len(inputs)}; use an evaluation pipeline '
            'without MultiView.'
        )
    return inputs[0]


class BaseAlgorithm(BaseModel):
    """A backbone with objectives, in MMEngine's three modes.

    Args:
        backbone: Backbone, as a config or a module.
        neck: Neck on the pooled features, or None.
        head: Objective.
        heads: Further objectives by name; their losses are added. Each says with ``tap`` which
            features it is given. Where two heads report one name, what such a head reports begins
            with its own: ``sup.loss_contrast``.
        view_editors: Editors of the views of a training batch, in their order.
        data_preprocessor: Normalizes a batch and moves it to the device.
        channels_last: Keep images and convolution weights in channels-last order, which is
            faster on recent CPUs and on tensor cores and changes no result beyond rounding.
        init_cfg: See MMEngine.

    Raises:
        ValueError: Parts whose widths do not meet, a head that takes what the algorithm does not
            give, or a name of ``heads`` that cannot be one.
    """

    #: Views the training batch must have; None takes any number.
    num_views: int | None = None
    #: What the algorithm gives to its heads: ``views``, ``pairs``, ``parts`` or ``features``.
    gives: str | None = None

    backbone: Backbone
    neck: Neck | None
    head: Head | None
    heads: Mapping[str, Head]
    view_editors: Sequence[BaseViewEditor]

    def __init__(
        self,
        backbone: dict | nn.Module,
        neck: dict | nn.Module | None = None,
        head: dict | nn.Module | None = None,
        heads: Mapping[str, dict | nn.Module] | None = None,
        view_editors: Sequence[dict | nn.Module] = (),
        data_preprocessor: dict | nn.Module | None = None,
        channels_last: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor=build(data_preprocessor or dict(type='ViewDataPreprocessor')),
            init_cfg=init_cfg,
        )
        self.backbone = cast(Backbone, build(backbone))
        self.neck = cast('Neck | None', build(neck))
        self.head = cast('Head | None', build(head))
        check_head_names(heads or {})
        more = nn.ModuleDict({name: build(part) for name, part in (heads or {}).items()})
        self.heads = cast(Mapping[str, Head], more)
        check_list('view_editors', view_editors)
        editors = nn.ModuleList(build(editor) for editor in view_editors)
        number_editors(list(editors))
        self.view_editors = cast(Sequence[BaseViewEditor], editors)
        self.channels_last = channels_last
        for part in named_heads(self).values():
            check_fit(part, self)
        check_cells(self)
        for editor in self.view_editors:
            if isinstance(editor, BaseViewEditor):
                editor.check_model(self)
        if isinstance(self.data_preprocessor, ViewDataPreprocessor):
            self.data_preprocessor.check_samples = self.check_samples
        self._check_widths()
        if channels_last:
            self.to(memory_format=torch.channels_last)

    @property
    def query_views(self) -> tuple[int, ...]:
        """Return the views that are compared with the others: what a view editor mixes."""
        return (0,)

    def check_samples(self, samples: DataSamples) -> None:
        """Check the samples of a batch for every head and editor, before it is moved.

        Raises:
            ValueError: A label or an index that one of them needs is not known.
        """
        for editor in self.view_editors:
            editor.check_samples(samples)
        for part in named_heads(self).values():
            part.check_samples(samples)

    def forward(
        self,
        inputs: Sequence[Tensor],
        data_samples: DataSamples | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Return losses, predictions or features for ``mode`` ``loss``, ``predict`` or ``tensor``.

        Args:
            inputs: V views (B, 3, H, W), normalized.
            data_samples: Tensors (B,) by name.
            mode: One of the three.
        """
        if mode == 'loss':
            views, samples = self.edit_views(self.take_views(inputs), data_samples or {})
            return self.loss(views, samples)
        if mode == 'predict':
            return self.predict(self.in_layout(inputs), data_samples)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise ValueError(f"mode is {mode!r}; expected 'loss', 'predict' or 'tensor'.")

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return losses and logged statistics of a batch of views."""
        raise NotImplementedError(f'{type(self).__name__} is not trained by itself.')

    def predict(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Predictions:
        """Return the scores of the head that classifies, for one view (B, 3, H, W) of each image.

        Returns:
            ``[dict(scores=(B, num_classes), gt_label=(B,), sample_idx=(B,), ...)]``, one record for
            the batch, as :class:`TopKAccuracy` reads it: probabilities and all of
            ``data_samples``.

        Raises:
            NotImplementedError: No head classifies.
            ValueError: More than one view, or several heads that classify.
        """
        classifier, features = self.classified(inputs)
        scores = classifier.predict(features)
        return [dict(data_samples or {}, scores=scores)]

    def classified(self, inputs: Sequence[Tensor]) -> tuple[Classifies, Tensor]:
        """Return the head that classifies, and the features (B, D) of one view that it is given.

        Raises:
            NotImplementedError: No head classifies.
            ValueError: More than one view, or several heads that classify.
        """
        classifier = classifier_of(self)
        if classifier is None:
            raise NotImplementedError(
                f'{type(self).__name__} predicts nothing: measure its features with a kNN or '
                'linear probe config from configs/benchmarks.'
            )
        # Centers beside an objective on embeddings classify the pooled features.
        pooled = getattr(classifier, 'uses_features', False)
        tap = 'backbone' if pooled else classifier.tap
        return classifier, self.embed(only_view(inputs)).at(tap)

    def encoder(self, name: str) -> tuple[Backbone, Neck | None, Neck | None]:
        """Return backbone, neck and predictor of an encoder.

        Args:
            name: ``online``; ``target`` where an algorithm has an averaged encoder.

        Raises:
            KeyError: An encoder that the algorithm does not have.
        """
        if name != 'online':
            raise KeyError(f'{type(self).__name__} has no encoder {name!r}; expected online.')
        return self.backbone, self.neck, None

    def view_numbers(self, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return which of ``count`` views the trained encoder sees, and which the averaged one."""
        return tuple(range(count)), ()

    def embed(self, images: Tensor, encoder: str = 'online') -> Features:
        """Return the features of images at every place where a head may tap them.

        Args:
            images: (B, 3, H, W), normalized.
            encoder: ``online``; ``target`` where the algorithm has an averaged encoder.
        """
        backbone, neck, predictor = self.encoder(encoder)
        maps = backbone(images)
        pooled = pool(maps)  # (B, C)
        embedding = pooled if neck is None else neck(pooled)  # (B, D)
        predicted = embedding if predictor is None else predictor(embedding)
        return Features(pooled, embedding, predicted, cells_of(maps, neck))

    def objectives(
        self,
        online: Mapping[int, Features],
        target: Mapping[int, Features],
        samples: DataSamples,
    ) -> Losses:
        """Return the losses and statistics of all heads, each given the features that it taps.

        Args:
            online: Features of the trained encoder by the number of their view.
            target: Features of the averaged encoder by the number of their view, or none.
            samples: Tensors (B,) by name.

        Raises:
            ValueError: There is no head.
        """
        results = {}
        if not named_heads(self):
            raise ValueError(
                f'{type(self).__name__} has no head, so there is no loss to train by; set head of '
                'the model, such as dict(type="NTXentHead"), or measure its features.'
            )
        for name, head in named_heads(self).items():
            first = {view: features.at(head.tap) for view, features in online.items()}
            second = {view: features.at(head.tap) for view, features in target.items()}
            more = _beside(head, online, target)
            results[name] = cast(ViewsHead, head).loss_views(first, second, samples, **more)
        return join_losses(results)

    def extract_feat(self, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        """Return (B, C) pooled backbone features of one view, a tensor or a list of one.

        Raises:
            ValueError: More than one view.
        """
        images = inputs if isinstance(inputs, Tensor) else only_view(inputs)
        return pool(self.backbone(self.in_layout([images])[0]))

    def take_views(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the views in this algorithm's memory format, after counting them.

        Raises:
            ValueError: Another number of views than the algorithm takes.
        """
        if self.num_views is not None and len(inputs) != self.num_views:
            raise ValueError(
                f'{type(self).__name__} takes {self.num_views} views of each image, got '
                f'{len(inputs)}; set num_views of MultiView in the pipeline accordingly.'
            )
        return self.in_layout(inputs)

    def edit_views(
        self, views: list[Tensor], samples: DataSamples
    ) -> tuple[list[Tensor], DataSamples]:
        """Return views and samples as the view editors leave them."""
        for editor in self.view_editors:
            views, samples = editor(views, samples, self)
        return self.in_layout(views), samples

    def in_layout(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the views in this algorithm's memory format."""
        if not self.channels_last:
            return list(inputs)
        return [view.contiguous(memory_format=torch.channels_last) for view in inputs]

    def _check_widths(self) -> None:
        """Refuse parts whose declared widths do not meet."""
        check_widths(self)
