"""Features of a data set on the disk, tied to the network and the images that made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.distributed.rows import rank
from mochi_mm.evaluation.features import extract_features
from mochi_mm.files.safetensors_file import read_safetensors, write_safetensors
from mochi_mm.files.trained_weights import is_finite
from mochi_mm.files.weights_digest import weights_digest


def describe_data(dataset: Any, config: Any = None) -> str:
    """Return text that differs where samples, their files or their pipeline differ.

    Args:
        dataset: The data set; counts its samples and, where it lists them, its labels, and has a
            ``fingerprint()`` where it reads files.
        config: Config that the loader was built from.
    """
    import hashlib

    labels = getattr(dataset, 'labels', None)
    listed = '' if labels is None else hashlib.sha256(str(list(map(int, labels))).encode())
    shown = listed if isinstance(listed, str) else listed.hexdigest()[:16]
    files = dataset.fingerprint() if hasattr(dataset, 'fingerprint') else ''
    kind = type(dataset).__name__
    return f'{kind}, {len(dataset)} samples, labels {shown}, files {files}, from {config}'


def describe_network(config: Any) -> str:
    """Return text that differs where a network computes other features from the same weights.

    Args:
        config: Config of the model: strides and pooling stand in its backbone, mean and standard
            deviation in its preprocessor. What follows the features does not count.
    """
    after = ('head', 'neck', 'freeze_backbone', 'init_cfg')
    return str({name: value for name, value in dict(config or {}).items() if name not in after})


def cached_features(
    path: str | Path, model: Any, dataloader: Any, config: Any = None, model_config: Any = None
) -> tuple[Tensor, Tensor]:
    """Return features and labels of a data set from a file, or extract and write them.

    Args:
        path: A ``.safetensors`` file.
        model: An algorithm; the digest of its backbone goes into the file.
        dataloader: Batches of one view of labeled samples.
        config: Config of the data, see :func:`describe_data`.
        model_config: Config of the model, its preprocessor included, see
            :func:`describe_network`.

    Returns:
        features (M, C) float32 and labels (M,) int64, see :func:`extract_features`.

    Raises:
        ValueError: The file is damaged, of another checkpoint, another network, or other data.
    """
    path = Path(path)
    wanted = dict(
        backbone=weights_digest(model.backbone),
        network=describe_network(model_config),
        data=describe_data(dataloader.dataset, config),
    )
    if path.exists():
        try:
            tensors, metadata = read_safetensors(path)
        except ValueError as error:
            raise ValueError(
                f'{path} is no whole file of features; delete it, and they are extracted again.'
            ) from error
        check_origin(path, metadata, wanted)
        _check_content(path, tensors, len(dataloader.dataset))
        return tensors['features'], tensors['labels']
    features, labels = extract_features(model, dataloader, require_labels=True)
    if rank() == 0:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, dict(features=features, labels=labels), wanted)
    return features, labels


def _check_content(path: Path, tensors: dict[str, Tensor], samples: int) -> None:
    """Refuse features and labels that no extraction has written."""
    features, labels = tensors.get('features'), tensors.get('labels')
    fits = (
        features is not None
        and labels is not None
        and features.ndim == 2
        and features.dtype == torch.float32
        and labels.dtype == torch.int64
        and labels.shape == (samples,)
        and len(features) == samples
        and is_finite(features)
        and bool((labels >= 0).all())
    )
    if not fits:
        raise ValueError(
            f'{path} does not hold finite float32 features and whole labels of {samples} samples; '
            'delete it, and they are extracted again.'
        )


def check_origin(path: Path, found: dict[str, str], wanted: dict[str, str]) -> None:
    """Refuse a file that was made by other weights, another network, or from other data.

    Raises:
        ValueError: Says which, and both values.
    """
    what = dict(
        backbone='another checkpoint: its backbone has the digest',
        network='another network or preprocessor:',
        data='other data:',
    )
    for key, value in wanted.items():
        if found.get(key) != value:
            raise ValueError(
                f'the features in {path} are of {what[key]} {found.get(key, "unknown")}, expected '
                f'{value}. Delete the file, or name another with --features.'
            )
