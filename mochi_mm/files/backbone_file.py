"""Files with a backbone alone: weights under the backbone's own names, and their record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.files.safetensors_file import SUFFIX, write_safetensors
from mochi_mm.files.weights_record import KEY

PREFIX = 'backbone.'
UNSPECIFIED = 'unspecified'


def backbone_path(checkpoint: str | Path) -> Path:
    """Return the path of the backbone of a checkpoint: ``backbone_epoch_9.safetensors``."""
    checkpoint = Path(checkpoint)
    return checkpoint.with_name(f'backbone_{checkpoint.stem}{SUFFIX}')


def backbone_tensors(state: Mapping[str, Any], prefix: str = PREFIX) -> dict[str, Tensor]:
    """Return the weights of a state dict that begin with ``prefix``, without it."""
    return {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}


def backbone_metadata(
    record: Mapping[str, Any], source: str, source_sha256: str, licence: str = UNSPECIFIED
) -> dict[str, str]:
    """Return the text that goes with a backbone's weights, for people and for programs.

    Args:
        record: Record from :func:`describe_weights`: mean, std, channel order, backbone, algorithm.
        source: Name of the checkpoint.
        source_sha256: Its SHA-256.
        licence: Terms of use of the weights, as their owner states them.
    """
    return {
        KEY: json.dumps(record),
        'mean': json.dumps(record.get('mean')),
        'std': json.dumps(record.get('std')),
        'scale': 'mean and std in gray levels, 0 to 255',
        'channel_order': str(record.get('channel_order') or 'unknown'),
        'architecture': json.dumps(record.get('backbone')),
        'algorithm': str(record.get('algorithm')),
        'head': str(record.get('head')),
        'licence': licence,
        'source': source,
        'source_sha256': source_sha256,
    }


def write_backbone(checkpoint: str | Path, content: Mapping[str, Any], sha256: str) -> Path | None:
    """Write the backbone of a checkpoint beside it; return the path, None if it has none.

    Args:
        checkpoint: Path of the checkpoint.
        content: Content of the checkpoint.
        sha256: Its SHA-256.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    tensors = backbone_tensors(content['state_dict'])
    if not tensors:
        return None
    path = backbone_path(checkpoint)
    record = content['meta'][KEY]
    write_safetensors(path, tensors, backbone_metadata(record, Path(checkpoint).name, sha256))
    return path
