"""The backbone that is to be exported."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.backbone_file import PREFIX, UNSPECIFIED, backbone_tensors
from mochi_mm.files.checkpoint import match_keys, read_checkpoint, state_dict_of
from mochi_mm.files.fit import some
from mochi_mm.files.weights_meta import KEY
from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.models.backbones.timm_backbone import TRAINING_ONLY
from mochi_mm.registry import MODELS

ENCODERS = dict(query=PREFIX, key='key_encoder.backbone.')


@dataclass(frozen=True)
class BackboneSource:
    """A backbone read from a file.

    Attributes:
        path: The file.
        sha256: Of the file.
        encoder: ``query`` or ``key``.
        tensors: Weights under the names of our backbone.
        record: What they were trained with, see :func:`describe_weights`.
        licence: What the file says of it; unspecified where it says nothing.
    """

    path: Path
    sha256: str
    encoder: str
    tensors: dict[str, Tensor]
    record: dict[str, Any]
    licence: str = UNSPECIFIED

    def module(self) -> Any:
        """Return our own backbone with these weights, in evaluation mode.

        Raises:
            ValueError: The weights are not those of the recorded architecture.
        """
        backbone = MODELS.build(_offline(self.record['backbone']))
        missing, unused = match_keys(backbone.state_dict(), self.tensors, str(self.path))
        if missing or unused:
            raise ValueError(
                f'{self.path} does not hold the backbone that it records: missing {some(missing)}; '
                f'not used {some(unused)}. Expected a checkpoint of this project, unchanged.'
            )
        backbone.load_state_dict(self.tensors)
        return backbone.eval()

    def image_size(self) -> tuple[int, int] | None:
        """Return the size (H, W) of images that the backbone is made for; None for any."""
        size: tuple[int, int] | None = getattr(self.module(), 'image_size', None)
        return size

    def resnet(self, target: str, depths: tuple[int, ...], any_width: bool = False) -> ResNet:
        """Return the backbone where ``target`` has a network like it.

        Args:
            target: Name of the library, for the error.
            depths: Those that it has.
            any_width: It can scale the channels.

        Raises:
            ValueError: It has none.
        """
        backbone = self.module()
        wrong = _difference(backbone, depths, any_width)
        if wrong:
            raise ValueError(
                f'{target} has no network like this backbone: {wrong}. Export it with --to '
                'backbone (read by this project) or --to onnx (read by any runtime); both take '
                'every backbone.'
            )
        return backbone


def read_backbone_source(path: str | Path, encoder: str | None = None) -> BackboneSource:
    """Read the backbone of a checkpoint, or a file that holds a backbone alone.

    Args:
        path: A checkpoint of this project.
        encoder: ``query``, the trained one, or ``key``, its moving average. None for the one that
            a backbone file holds, and for ``query`` of a checkpoint.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It does not say what its weights are, or has no such encoder.
    """
    if encoder not in (None, *ENCODERS):
        raise ValueError(f'encoder is {encoder!r}; expected one of {", ".join(ENCODERS)}.')
    content = read_checkpoint(path)
    meta = content.get('meta') or {}
    record, exported = meta.get(KEY), meta.get('export') or {}
    if not isinstance(record, dict) or not record.get('backbone'):
        raise ValueError(
            f'{path} does not record what its weights are (meta.{KEY}.backbone), so they cannot be '
            'exported; expected a checkpoint written by this project.'
        )
    state = state_dict_of(content)
    held = str(exported.get('encoder', 'query'))
    wanted = encoder or held
    tensors = backbone_tensors(state, ENCODERS[wanted])
    bare = not any(name.startswith(PREFIX) for name in state)
    if bare and wanted == held:
        tensors = state
    if not tensors:
        raise ValueError(
            f'{path} has no {wanted} encoder: its weights are {some(state)}. Expected names that '
            f'begin with {ENCODERS[wanted]}; only methods with an averaged encoder (MoCo, MoCHi '
            'and their relatives) have a key encoder, and only in the full checkpoint.'
        )
    licence = str(exported.get('licence', UNSPECIFIED))
    return BackboneSource(Path(path), sha256_of(path), wanted, tensors, record, licence)


class PooledBackbone(nn.Module):
    """A backbone and the average over positions: what is measured and what is compared.

    Args:
        backbone: A backbone.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, C) features of normalised images (B, 3, H, W)."""
        return pool(self.backbone(images))


def without_weights(model_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of ``timm.create_model`` without those that ask for or draw weights."""
    asking = ('pretrained', 'checkpoint_path', 'weight_init')
    return {name: value for name, value in model_kwargs.items() if name not in asking}


def _offline(config: Any) -> Any:
    """Return ``config`` without requests for weights and how they are drawn, for all its parts."""
    config = copy.deepcopy(config)
    for part in [config, *config.get('backbones', [])]:
        part['init_cfg'] = None
        if str(part.get('type')).endswith('TimmBackbone'):
            for name in TRAINING_ONLY:
                part.pop(name, None)
        if part.get('model_kwargs'):
            part['model_kwargs'] = without_weights(part['model_kwargs'])
    return config


def _difference(backbone: Any, depths: tuple[int, ...], any_width: bool) -> str:
    """Return what keeps ``backbone`` from being a ResNet of one of ``depths``; '' for nothing."""
    if not isinstance(backbone, ResNet):
        return f'it is a {type(backbone).__name__}, expected a ResNet'
    if backbone.depth not in depths:
        return f'its depth is {backbone.depth}, expected one of {", ".join(map(str, depths))}'
    if backbone.width != 1 and not any_width:
        return f'its width is {backbone.width:g}, expected 1'
    if backbone.stem != 'imagenet':
        return f"its stem is {backbone.stem!r}, expected 'imagenet' (7x7 with stride 2, pooling)"
    if backbone.in_channels != 3:
        return f'it takes {backbone.in_channels} channels, expected 3'
    if backbone.out_indices[-1] != 3:
        return f'it ends with stage {backbone.out_indices[-1]}, expected all four (0 to 3)'
    return ''
