"""Testing by linear SVMs: the whole training set, or a few images per class."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import broadcast_object_list
from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from rich.console import Console
from rich.progress import track

from mochi_mm.distributed.rows import rank
from mochi_mm.evaluation.average_precision import METHODS
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.svm import draw_shots, svm_average_precision, unit_rows
from mochi_mm.registry import LOOPS
from mochi_mm.utils.class_names import check_same_classes

Features = tuple[np.ndarray, np.ndarray]


@LOOPS.register_module()
class SVMLoop(BaseLoop):
    """Test loop that trains a linear SVM for each class on features and reports the mean AP.

    The data sets have ``targets`` (len, classes) of 1, 0 (difficult, left out) and -1, as
    :class:`VOCClassification`. Features are scaled to unit length. The cost is chosen for each
    class by cross-validation on the training set. With ``shots``, low-shot SVMs instead: for each
    class and sample, k positives and (classes - 1) k negatives are drawn, and the cost is
    ``shot_cost``.

    Args:
        runner: The runner.
        dataloader: Test images; the runner passes its ``test_dataloader``.
        evaluator: Must be empty: the loop computes its metrics itself.
        train_dataloader: Images that the SVMs are trained on, as a config or a data loader.
        costs: To choose from.
        folds: Number of folds of the cross-validation.
        method: ``11points`` (VOC 2007) or ``area``.
        shots: k of low-shot classification; empty for the whole training set.
        samples: Independent draws for each k.
        shot_cost: C of the low-shot SVMs, which have too few images to choose it.
        seed: Random seed of the draws.

    Raises:
        ValueError: An evaluator, unusable settings, data without ``targets``, other classes in
            training and test, too few images.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        evaluator: Any,
        train_dataloader: Any,
        costs: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        folds: int = 3,
        method: str = '11points',
        shots: Sequence[int] = (),
        samples: int = 5,
        shot_cost: float = 1.0,
        seed: int = 0,
    ) -> None:
        if evaluator.metrics if isinstance(evaluator, Evaluator) else evaluator:
            raise ValueError(
                f'test_evaluator is {evaluator!r}, but SVMLoop computes its metrics itself; set '
                'test_evaluator = [].'
            )
        numbers = [*costs, shot_cost, *shots, samples]
        if method not in METHODS or not costs or folds < 2 or not all(n > 0 for n in numbers):
            raise ValueError(
                f'SVMLoop got method={method!r}, costs={list(costs)}, folds={folds}, shots='
                f'{list(shots)}, samples={samples}, shot_cost={shot_cost}; expected a method of '
                f'{", ".join(METHODS)}, positive numbers, and at least two folds.'
            )
        self.costs, self.folds, self.method = tuple(costs), folds, method
        self.shots, self.samples, self.seed = tuple(shots), samples, seed
        self.shot_cost = shot_cost
        super().__init__(runner, train_dataloader)
        self.train_dataloader = self.dataloader
        super().__init__(runner, dataloader)
        for loader in (self.train_dataloader, self.dataloader):
            if not hasattr(loader.dataset, 'targets'):
                raise ValueError(
                    f'{type(loader.dataset).__name__} has no targets (len, classes); expected a '
                    'data set such as VOCClassification.'
                )
        check_same_classes(
            self.train_dataloader.dataset, self.dataloader.dataset, 'training', 'test'
        )
        self.evaluator = Evaluator([])

    def run(self) -> dict[str, float]:
        """Return and log ``svm/mAP``, or ``svm/mAP_k{k}`` and its spread, in percent."""
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        train, test = (
            self._features(loader) for loader in (self.train_dataloader, self.dataloader)
        )
        answer: list[Any] = [None]
        if rank() == 0:  # the others wait: the SVMs take one process
            answer[0] = self._low_shot(train, test) if self.shots else self._whole(train, test)
        broadcast_object_list(answer)
        metrics: dict[str, float] = answer[0]
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    def _features(self, loader: Any) -> Features:
        features, _ = extract_features(self.runner.model, loader)
        return unit_rows(features.numpy()), np.asarray(loader.dataset.targets)

    def _whole(self, train: Features, test: Features) -> dict[str, float]:
        metrics = {}
        for column, name in self._classes():
            value, cost = svm_average_precision(
                (train[0], train[1][:, column]),
                (test[0], test[1][:, column]),
                self.costs,
                self.folds,
                self.method,
            )
            metrics[f'svm/{name}'] = 100 * value
            self.runner.logger.info(f'{name}: AP {100 * value:.2f} with C = {cost:g}')
        return {'svm/mAP': float(np.mean(list(metrics.values()))), **metrics}

    def _low_shot(self, train: Features, test: Features) -> dict[str, float]:
        table = np.zeros((len(self.shots), self.samples, train[1].shape[1]))
        for column, _ in self._classes():
            targets = train[1][:, column]
            for sample in range(self.samples):
                for row, k in enumerate(self.shots):
                    generator = np.random.default_rng([self.seed, sample, column, k])
                    drawn = draw_shots(targets, k, k * (train[1].shape[1] - 1), generator)
                    table[row, sample, column], _ = svm_average_precision(
                        (train[0][drawn], targets[drawn]),
                        (test[0], test[1][:, column]),
                        [self.shot_cost],
                        method=self.method,
                    )
        means = 100 * table.mean(axis=2)  # one mAP a draw
        metrics = {}
        for k, row in zip(self.shots, means, strict=True):
            metrics[f'svm/mAP_k{k}'] = float(row.mean())
            metrics[f'svm/mAP_k{k}_std'] = float(row.std(ddof=1)) if len(row) > 1 else 0.0
        return metrics

    def _classes(self) -> Any:
        classes = list(enumerate(self.train_dataloader.dataset.classes))
        if not sys.stderr.isatty():
            return classes
        return track(classes, description='classes', console=Console(stderr=True), transient=True)
