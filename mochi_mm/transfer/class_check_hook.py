"""Check that data sets and heads agree on the classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmengine.hooks import Hook
from torch import nn

from mochi_mm.registry import HOOKS
from mochi_mm.transfer.coco_detection_metric import CocoDetectionMetric
from mochi_mm.utils.unwrap import unwrap

# These count something else: classes of pre-training, objects against background, kinds of stuff.
NOT_OF_THE_DATA = frozenset(('backbone', 'rpn_head', 'semantic_head'))


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Compare the classes of all loaders with each other, and their number with every head.

    Labels are positions in the list of classes, so two data sets with another order, or a head for
    another number, train and measure something else than what is said. Before a test the data of
    the test are compared with the heads.
    """

    priority = 'HIGH'

    def before_train(self, runner: Any) -> None:
        """Check once, before the first iteration.

        Raises:
            ValueError: Another number of classes in a head, other classes or another order in the
                validation or test data, or data without masks where masks are measured.
        """
        classes = _classes(runner.train_dataloader.dataset, 'train_dataloader')
        check_heads(runner.model, classes)
        if runner.val_loop is not None:
            check_same(classes, _classes(runner.val_dataloader.dataset, 'val_dataloader'), 'val')
            _check_masks(runner.val_dataloader.dataset, runner.val_evaluator.metrics, 'val')
        said = _said(runner.cfg.get('test_dataloader'))
        if said is not None:
            check_same(classes, said, 'test')

    def before_test(self, runner: Any) -> None:
        """Check once, before the first image.

        Raises:
            ValueError: See :meth:`before_train`.
        """
        dataset = runner.test_dataloader.dataset
        check_heads(runner.model, _classes(dataset, 'test_dataloader'))
        _check_masks(dataset, runner.test_evaluator.metrics, 'test')


def check_heads(model: nn.Module, classes: tuple[str, ...]) -> None:
    """Raise unless every head of a detector is for that many classes.

    Raises:
        ValueError: With the key of the config and the value it should have.
    """
    for name, module in unwrap(model).named_modules():
        number = getattr(module, 'num_classes', None)
        if not isinstance(number, int) or NOT_OF_THE_DATA.intersection(name.split('.')):
            continue
        if number != len(classes):
            raise ValueError(
                f'model.{name}.num_classes is {number} but the data have {len(classes)} classes '
                f'({_some(classes)}); set model.{name}.num_classes={len(classes)}, or '
                'metainfo.classes of the data sets.'
            )


def check_same(train: tuple[str, ...], other: tuple[str, ...], split: str) -> None:
    """Raise unless ``other``, the classes of ``split``, are those of training, in their order.

    Raises:
        ValueError: With the first position at which they differ.
    """
    if train == other:
        return
    i = next((i for i, (a, b) in enumerate(zip(train, other, strict=False)) if a != b), None)
    what = f'are {len(other)} and {len(train)}'
    if i is not None:
        what = f'differ at label {i}, {other[i]!r} and {train[i]!r}'
    raise ValueError(
        f'the classes of {split}_dataloader and train_dataloader {what}; labels would mean '
        'something else. Set metainfo.classes of both to the same names in the same order.'
    )


def _classes(dataset: Any, loader: str) -> tuple[str, ...]:
    metainfo = dataset.metainfo
    if not isinstance(metainfo, dict):  # a concatenation of data sets with other metainfo
        for other in metainfo[1:]:
            if tuple(other['classes']) != tuple(metainfo[0]['classes']):
                raise ValueError(
                    f'the data sets of {loader} have different classes; set metainfo.classes of '
                    'each to the same names in the same order.'
                )
        metainfo = metainfo[0]
    return tuple(metainfo['classes'])


def _said(loader: Any) -> tuple[str, ...] | None:
    """Return the classes that a loader's config states, if it does."""
    dataset = (loader or {}).get('dataset') or {}
    classes = (dataset.get('metainfo') or {}).get('classes')
    return None if classes is None or isinstance(classes, str) else tuple(classes)


def _check_masks(dataset: Any, metrics: Iterable[Any], split: str) -> None:
    measured = any(isinstance(m, CocoDetectionMetric) and 'segm' in m.metrics for m in metrics)
    for part in getattr(dataset, 'datasets', [dataset]):
        fault = getattr(part, 'mask_fault', None)
        if measured and fault is not None:
            raise ValueError(f"{fault}; {split}_evaluator measures masks (metric='bbox' does not).")


def _some(classes: tuple[str, ...], most: int = 5) -> str:
    return ', '.join(classes[:most]) + (', ...' if len(classes) > most else '')
