"""Labels and indices that a part needs to know of every sample."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

# Standard keys of PackInputs, which hands them on without being asked.
_SOURCES = dict(
    gt_label='images in class folders, or another data set with classes',
    sample_idx='a data set that numbers its samples, as those of mochi_mm do',
)


def require_known(data_samples: Mapping[str, Tensor], name: str, reason: str) -> Tensor:
    """Return ``data_samples[name]``, integers (B,), all of them known.

    Values on an accelerator are not read, which would wait for it: the data preprocessor has had
    them checked before they were moved. There, an unknown label matches nothing.

    Args:
        data_samples: Tensors (B,) by name.
        name: Such as ``gt_label``.
        reason: The part that needs it, for the error.

    Raises:
        ValueError: It is missing, no integer of each sample, or -1 (unknown) for some.
    """
    values = data_samples.get(name)
    if values is not None:
        check_integers(name, values)
    if values is None or (values.device.type == 'cpu' and bool((values < 0).any())):
        fix = _SOURCES.get(
            name, f'a data set that gives {name} and PackInputs(extra_keys=[{name!r}])'
        )
        raise ValueError(
            f'{reason} needs {name} for every sample, got '
            f'{"none" if values is None else "unknown ones (-1)"}; use {fix}, or an objective '
            'that does without.'
        )
    return values


def check_integers(name: str, values: Tensor) -> None:
    """Accept integers (B,), one for each sample; shape and type are known on any device.

    Args:
        name: Name of the values, for the error.
        values: Labels or indices.

    Raises:
        ValueError: Another shape, such as (B, 1) or that of one-hot labels, or another type.
    """
    kind = values.dtype
    whole = not (kind.is_floating_point or kind.is_complex or kind == torch.bool)
    if values.ndim != 1 or not whole:
        raise ValueError(
            f'{name} is a tensor of shape {tuple(values.shape)} of {kind}; expected integers of '
            f'shape (batch,), one for each sample: flatten (batch, 1), take the argmax over '
            'classes of one-hot labels, or convert with .long().'
        )


def check_optional(data_samples: Mapping[str, Tensor], *names: str) -> None:
    """Accept samples without these, or with integers (B,) as each; -1 is unknown.

    Raises:
        ValueError: Another shape or type.
    """
    for name in names:
        if name in data_samples:
            check_integers(name, data_samples[name])


def check_lengths(data_samples: Mapping[str, Tensor], num_images: int) -> None:
    """Accept samples with as many rows as the batch has images, at least one.

    Args:
        data_samples: Tensors (B, ...) by name; what is no tensor is left to who reads it.
        num_images: B.

    Raises:
        ValueError: Another number, or an empty batch.
    """
    if num_images < 1:
        raise ValueError(
            'the batch holds no image; expected at least 1 on every rank: set drop_last of the '
            'loader, or skip batches of which nothing is left.'
        )
    for name, values in data_samples.items():
        if isinstance(values, Tensor) and (values.ndim < 1 or len(values) != num_images):
            raise ValueError(
                f'{name} of shape {tuple(values.shape)} for a batch of {num_images} images; '
                f'expected {num_images} rows, one for each image, however many views it has.'
            )


def require_class(labels: Tensor, num_classes: int, who: str) -> None:
    """Accept labels (B,) below ``num_classes``; values on an accelerator are not read.

    Args:
        labels: Class of each sample.
        num_classes: Number of classes.
        who: Part that has so many, for the error.

    Raises:
        ValueError: A label is as large, or larger.
    """
    if labels.device.type == 'cpu' and bool((labels >= num_classes).any()):
        label = int(labels.max())
        raise ValueError(
            f'the batch holds the label {label} but {who} has {num_classes} classes; expected '
            f'labels 0 to {num_classes - 1}: set num_classes to at least {label + 1}.'
        )
