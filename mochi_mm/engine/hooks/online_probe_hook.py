"""A linear classifier that is trained beside pre-training, on the features of its batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from torch import Tensor, nn
from torch.nn import functional as F

from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.finite_scores import finite_scores
from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.utils.class_names import check_same_classes
from mochi_mm.utils.unwrap import unwrap

STATE = 'online_probe'


@HOOKS.register_module()
class OnlineProbeHook(Hook):
    """Train a linear head on the detached backbone features of every batch, and log its accuracy.

    It takes what the backbone gives for the views of the batch anyway, so it costs one product a
    step: of its first pass, or, where view editors make views that are of no class, of the last,
    which is that of images. Nothing flows back into the encoder, and no random generator moves:
    weights are those of a run without the hook. The head and its momentum are saved with the run
    and resumed; a step with features that are not finite leaves them as they are. Needs labels.
    What it says is a sign of progress, not the result of a linear probe: its features change under
    it, are augmented, and come from batch statistics.

    Logged: ``probe/loss`` (nats) and ``probe/acc_top1`` (share of the batch, before its step); with
    ``query_dataloader``, every ``interval`` epochs, ``probe/top1`` in percent on its images.

    Args:
        num_classes: Number of classes.
        lr: Learning rate of SGD with momentum 0.9, on features that are scaled to unit length.
        query_dataloader: Labeled images of one view each, as a config or a data loader.
        interval: Epochs between looks at them.

    Raises:
        ValueError: Unusable settings; when training: a compiled model, query images of
            other classes or with features that are not finite, a batch without labels, or labels
            outside the classes.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        num_classes: int,
        lr: float = 1.0,
        query_dataloader: Any = None,
        interval: int = 10,
    ) -> None:
        if num_classes < 2 or not lr > 0 or interval < 1:
            raise ValueError(
                f'OnlineProbeHook got num_classes={num_classes}, lr={lr}, interval={interval}; '
                'expected at least two classes, a rate above 0 and an interval of at least 1.'
            )
        self.num_classes, self.lr, self.interval = num_classes, lr, interval
        self.query_dataloader = query_dataloader
        self.weights: list[Tensor] = []
        self.momentum: list[Tensor] = []
        self._features: Tensor | None = None
        self._watch: Any = None
        self._last = False

    def before_train(self, runner: Any) -> None:
        """Make or restore the head, and register the hook that takes the backbone's features."""
        if runner.cfg.get('compile'):
            raise ValueError(
                'OnlineProbeHook looks at the backbone from outside, which a compiled model does '
                'not allow; set compile=None, or use KNNHook.'
            )
        model = unwrap(runner.model)
        width, device = int(model.backbone.out_channels), next(model.parameters()).device
        saved = runner.message_hub.runtime_info.get(STATE)
        shapes = [(self.num_classes, width), (self.num_classes,)]
        if saved is None:
            saved = [torch.zeros(shape) for shape in shapes * 2]
        if [tuple(part.shape) for part in saved] != shapes * 2:
            raise ValueError(
                f'the probe of the resumed run has another shape than num_classes='
                f'{self.num_classes} and width {width} need; keep num_classes.'
            )
        parts = [part.to(device, torch.float32).clone() for part in saved]
        self.weights, self.momentum = parts[:2], parts[2:]
        if isinstance(self.query_dataloader, Mapping):
            with preserved_random_state():
                self.query_dataloader = runner.build_dataloader(self.query_dataloader, seed=0)
        if self.query_dataloader is not None:
            train, queries = runner.train_dataloader.dataset, self.query_dataloader.dataset
            check_same_classes(train, queries, 'training', 'query')
        editors = getattr(model, 'view_editors', ())
        self._last = any(editor.makes is not None for editor in editors)
        self._watch = model.backbone.register_forward_hook(self._look)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Forget the features of the last step."""
        self._features = None

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Train the head one step and log its loss and accuracy before the step."""
        if self._features is None:
            raise ValueError('the backbone gave no features in this step, so the probe has none.')
        features = unit_rows(self._features)
        labels = self._labels(data_batch, len(features), features.device)
        loss, accuracy = self._step(features, labels)
        runner.message_hub.update_scalar('train/probe/loss', loss)
        runner.message_hub.update_scalar('train/probe/acc_top1', accuracy)
        runner.message_hub.update_info(STATE, [*self.weights, *self.momentum])

    def after_train_epoch(self, runner: Any) -> None:
        """Classify the query images every ``interval`` epochs."""
        if self.query_dataloader is None or not self.every_n_epochs(runner, self.interval):
            return
        with preserved_random_state():
            features, labels = extract_features(
                runner.model, self.query_dataloader, require_labels=True
            )
        scores = F.linear(unit_rows(features), *(part.cpu() for part in self.weights))
        top1 = 100 * float((finite_scores(scores).argmax(dim=1) == labels).double().mean())
        runner.message_hub.update_scalar('probe/top1', top1)
        runner.logger.info(f'online probe after {runner.epoch + 1} epochs: top-1 {top1:.2f}')
        runner.visualizer.add_scalars(
            {'probe/top1': top1, 'epoch': runner.epoch + 1},
            step=runner.iter,
            file_path=f'{runner.timestamp}.json',
        )

    def after_train(self, runner: Any) -> None:
        """Remove the hook from the backbone."""
        self._watch.remove()

    def _look(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if module.training and (self._last or self._features is None):
            self._features = pool(output).detach()

    def _labels(self, data_batch: Any, rows: int, device: torch.device) -> Tensor:
        """Return a label for each row: views stand one after the other, each the whole batch."""
        labels = (data_batch or {}).get('data_samples', {}).get('gt_label')
        if labels is None or bool(((labels < 0) | (labels >= self.num_classes)).any()):
            raise ValueError(
                f'the online probe needs labels from 0 to {self.num_classes - 1}, the batch has '
                f'{"none" if labels is None else sorted(set(labels.tolist()))[:5]}; use labeled '
                'data, set num_classes, or remove the hook.'
            )
        if rows % len(labels):
            raise ValueError(f'{rows} features for {len(labels)} labels; expected a multiple.')
        return labels.to(device).repeat(rows // len(labels))

    @torch.no_grad()
    def _step(self, features: Tensor, labels: Tensor) -> tuple[float, float]:
        weight, bias = self.weights
        logits = F.linear(features, weight, bias)
        loss = float(F.cross_entropy(logits, labels))
        accuracy = float((logits.argmax(dim=1) == labels).double().mean())
        error = (logits.softmax(dim=1) - F.one_hot(labels, self.num_classes)) / len(labels)
        gradients = [error.T @ features, error.sum(dim=0)]
        for gradient in gradients:
            all_reduce(gradient, op='mean')
        if not all(bool(gradient.isfinite().all()) for gradient in gradients):
            return loss, accuracy
        for part, momentum, gradient in zip(self.weights, self.momentum, gradients, strict=True):
            momentum.mul_(0.9).add_(gradient)
            part.sub_(momentum, alpha=self.lr)
        return loss, accuracy
