"""Labels and indices that a part needs to know of every sample."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

# Standard keys of PackInputs, which hands them on without being asked.
_SOURCES = dict(
    gt_label='images in class folders, or another data set with classes',
    sample_idx='a data set that numbers its samples, as those of mochi_mm do',
)


def require_known(data_samples: Mapping[str, Tensor], name: str, reason: str) -> Tensor:
    """Return ``data_samples[name]``, (B,) and all of it known.

    Values on an accelerator are not read, which would wait for it: the data preprocessor has had
    them checked before they were moved. There, an unknown label matches nothing.

    Args:
        data_samples: Tensors (B,) by name.
        name: Such as ``gt_label``.
        reason: The part that needs it, for the error.

    Raises:
        ValueError: It is missing, or -1 (unknown) for some sample.
    """
    values = data_samples.get(name)
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
