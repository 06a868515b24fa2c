"""The backbone that is to be exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor, nn

from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.backbone_file import PREFIX, UNSPECIFIED, backbone_tensors
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.fit import fit, some
from mochi_mm.files.origin import NOT_NORMALIZED
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.files.weight_sets import weights_of
from mochi_mm.files.weights_record import KEY, one_line, record_of
from mochi_mm.models.algorithms.base_algorithm import pool
from mochi_mm.models.backbones.recorded import (
    build_recorded,
    checked_backbone,
    outline_recorded,
)
from mochi_mm.models.backbones.resnet import ResNet

ENCODERS = dict(query=PREFIX, key='key_encoder.backbone.')


@dataclass(frozen=True)
class BackboneSource:
    """A backbone read from a file.

    Attributes:
        path: The file.
        sha256: SHA-256 of the file.
        encoder: ``query`` or ``key``.
        tensors: Weights under the names of our backbone.
        record: Settings that they were trained with, checked: see :func:`record_of`, and
            :func:`checked_backbone` for the architecture.
        licence: License that the file states; unspecified where it states none.
    """

    path: Path
    sha256: str
    encoder: str
    tensors: dict[str, Tensor]
    record: dict[str, Any]
    licence: str = UNSPECIFIED

    def module(self) -> nn.Module:
        """Return our own backbone with these weights, in evaluation mode.

        Raises:
            ValueError: The weights are not those of the recorded architecture.
        """
        architecture, path = self.record['backbone'], str(self.path)
        held = sum(tensor.numel() for tensor in self.tensors.values())
        # It may ask for more memory than the weights fill.
        wanted = outline_recorded(architecture, held, path).state_dict()
        made = fit(wanted, self.tensors, path, 'the backbone that it records')
        further = [f'not used {some(made.unused)}'] if made.unused else []
        if made.counters:
            further.append(f'the counters {some(made.counters)} are missing')
        made.demand('Expected a checkpoint of this project, unchanged.', further)
        check_weights(self.tensors, path, wanted)
        backbone = build_recorded(architecture, path)
        backbone.load_state_dict(self.tensors)
        return backbone.eval()

    def normalization(self) -> tuple[Sequence[float], Sequence[float]]:
        """Return mean and standard deviation that images were normalized with, in gray levels.

        0 and 1 where they were not: these leave images as they are, where a library would take
        values of its own.
        """
        mean, std = (self.record.get(name) for name in ('mean', 'std'))
        return mean or NOT_NORMALIZED.mean or (), std or NOT_NORMALIZED.std or ()

    def channels(self) -> int:
        """Return the number of channels of the images that the backbone takes."""
        return _channels(self.record['backbone'])

    def image_size(self) -> tuple[int, int] | None:
        """Return the size (H, W) of images that the backbone is made for; None for any."""
        size: tuple[int, int] | None = getattr(self.module(), 'image_size', None)
        return size

    def resnet(
        self,
        target: str,
        depths: tuple[int, ...],
        any_width: bool = False,
        any_channels: bool = False,
    ) -> ResNet:
        """Return the backbone where ``target`` has a network like it.

        Args:
            target: Name of the library, for the error.
            depths: Depths that the library has.
            any_width: Whether the library can scale the channels.
            any_channels: Whether the library takes images of other than three channels.

        Raises:
            ValueError: The library has no network like it.
        """
        backbone = self.module()
        wrong = _difference(backbone, depths, any_width, any_channels)
        if wrong:
            raise ValueError(
                f'{target} has no network like this backbone: {wrong}. Export it with --to '
                'backbone (read by this project) or --to onnx (read by any runtime); both take '
                'every backbone.'
            )
        return cast(ResNet, backbone)


def read_backbone_source(path: str | Path, encoder: str | None = None) -> BackboneSource:
    """Read the backbone of a checkpoint, or a file that holds a backbone alone.

    Args:
        path: A checkpoint of this project.
        encoder: ``query``, the trained one, or ``key``, its moving average. None for the one that
            a backbone file holds, and for ``query`` of a checkpoint.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file does not say what its weights are, or has no such encoder.
    """
    if encoder not in (None, *ENCODERS):
        raise ValueError(f'encoder is {encoder!r}; expected one of {", ".join(ENCODERS)}.')
    content = read_checkpoint(path)
    record = record_of(content, path)
    if record is None or not record['backbone']:
        raise ValueError(
            f'{path} does not record what its weights are (meta.{KEY}.backbone), so they cannot be '
            'exported; expected a checkpoint written by this project.'
        )
    record['backbone'] = checked_backbone(record['backbone'], str(path))
    state = weights_of(content, path).tensors
    exported = content['meta'].get('export')
    exported = exported if isinstance(exported, Mapping) else {}
    held = one_line(exported.get('encoder', 'query'), 'meta.export.encoder', path)
    if held not in ENCODERS:
        raise ValueError(
            f'{path} says that it holds the encoder {held!r}; expected one of '
            f'{", ".join(ENCODERS)}.'
        )
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
    licence = one_line(exported.get('licence', UNSPECIFIED), 'meta.export.licence', path)
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
        """Return (B, C) features of normalized images (B, C, H, W)."""
        return pool(self.backbone(images))


def _channels(recorded: Mapping[str, Any]) -> int:
    """Return the channels that a recorded backbone takes, all parts of it together."""
    if recorded['type'] == 'SplitBackbone':
        return sum(_channels(part) for part in recorded['backbones'])
    if recorded['type'] == 'TimmBackbone':
        return int((recorded['model_kwargs'] or {}).get('in_chans', 3))
    return int(recorded.get('in_channels', 3))


def _difference(
    backbone: nn.Module, depths: tuple[int, ...], any_width: bool, any_channels: bool
) -> str:
    """Return why ``backbone`` is no ResNet of one of ``depths``; '' where it is one."""
    if not isinstance(backbone, ResNet):
        return f'it is a {type(backbone).__name__}, expected a ResNet'
    if backbone.depth not in depths:
        return f'its depth is {backbone.depth}, expected one of {", ".join(map(str, depths))}'
    if backbone.width != 1 and not any_width:
        return f'its width is {backbone.width:g}, expected 1'
    if backbone.stem != 'imagenet':
        return f"its stem is {backbone.stem!r}, expected 'imagenet' (7x7 with stride 2, pooling)"
    if backbone.in_channels != 3 and not any_channels:
        return f'it takes images of {backbone.in_channels} channels, expected 3'
    if backbone.out_indices[-1] != 3:
        return f'it ends with stage {backbone.out_indices[-1]}, expected all four (0 to 3)'
    return ''
