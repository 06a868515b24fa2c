"""torchvision's ResNet as a backbone (He et al. 2016; stride in the 3x3 convolution)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.models import resnet as tv

from mochi_mm.registry import MODELS

# Blocks of each stage; the depth is 2 + convolutions in them. 10 is the shallowest that keeps
# four stages.
Residual = type[tv.BasicBlock | tv.Bottleneck]
ARCHITECTURES: dict[int, tuple[Residual, tuple[int, int, int, int]]] = {
    10: (tv.BasicBlock, (1, 1, 1, 1)),
    18: (tv.BasicBlock, (2, 2, 2, 2)),
    34: (tv.BasicBlock, (3, 4, 6, 3)),
    50: (tv.Bottleneck, (3, 4, 6, 3)),
    101: (tv.Bottleneck, (3, 4, 23, 3)),
    152: (tv.Bottleneck, (3, 8, 36, 3)),
}


class _ScaledResNet(tv.ResNet):
    """torchvision's network with every stage ``width`` times as wide."""

    inplanes: int

    def __init__(self, block: Residual, layers: Sequence[int], width: float, **kwargs: Any) -> None:
        self._width = width
        super().__init__(block, list(layers), num_classes=1, **kwargs)

    def _make_layer(
        self, block: Residual, planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        if planes == 64:  # the first stage reads the stem, whose width is scaled as well
            self.inplanes = round(self.inplanes * self._width)
        return super()._make_layer(block, round(planes * self._width), blocks, stride, dilate)


@MODELS.register_module()
class ResNet(BaseModule):
    """A residual network whose state-dict keys and stage names are torchvision's and mmdet's.

    Args:
        depth: 10, 18, 34, 50, 101 or 152.
        width: Factor on the channels of every layer; 0.25 makes a ResNet-18 start with 16.
        out_indices: Stages (0 to 3, for layer1 to layer4) whose maps are returned. Stages behind
            the last of them are not built: they would hold weights that nothing trains.
        frozen_stages: -1 trains everything; n freezes the stem and the first n stages, their batch
            norms in evaluation mode.
        norm_eval: Keep all batch norms in evaluation mode while training.
        stem: ``imagenet`` (7x7 stride 2 and max pooling) or ``small`` (3x3 stride 1, for images of
            32 to 64 pixels).
        zero_init_residual: Start each residual branch at zero; MoCo does not.
        in_channels: Channels of the images.
        init_cfg: See MMEngine; the default is torchvision's own initialization.
    """

    def __init__(
        self,
        depth: int = 50,
        width: float = 1.0,
        out_indices: Sequence[int] = (3,),
        frozen_stages: int = -1,
        norm_eval: bool = False,
        stem: str = 'imagenet',
        zero_init_residual: bool = False,
        in_channels: int = 3,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self._check(depth, width, out_indices, frozen_stages, stem)
        if not isinstance(in_channels, int) or in_channels < 1:
            raise ValueError(f'in_channels is {in_channels!r}; expected an integer >= 1.')
        block, layers = ARCHITECTURES[depth]
        net = _ScaledResNet(block, layers, width, zero_init_residual=zero_init_residual)
        stem_width = round(64 * width)
        if stem == 'small':
            net.conv1 = nn.Conv2d(in_channels, stem_width, 3, stride=1, padding=1, bias=False)
            net.maxpool = nn.Identity()
        elif width != 1 or in_channels != 3:
            net.conv1 = nn.Conv2d(in_channels, stem_width, 7, stride=2, padding=3, bias=False)
        if width != 1:
            net.bn1 = nn.BatchNorm2d(stem_width)
        nn.init.kaiming_normal_(net.conv1.weight, mode='fan_out', nonlinearity='relu')
        self.conv1, self.bn1, self.relu, self.maxpool = net.conv1, net.bn1, net.relu, net.maxpool
        for stage in range(max(out_indices) + 1):
            setattr(self, f'layer{stage + 1}', getattr(net, f'layer{stage + 1}'))
        self.depth, self.width, self.stem = depth, width, stem
        self.in_channels = in_channels
        self.out_indices = tuple(out_indices)
        self.frozen_stages, self.norm_eval = frozen_stages, norm_eval
        self.stage_channels = tuple(
            round(64 * 2**stage * width) * block.expansion for stage in range(4)
        )
        self.out_channels = self.stage_channels[self.out_indices[-1]]
        self._freeze()

    @staticmethod
    def _check(
        depth: int, width: float, out_indices: Sequence[int], frozen_stages: int, stem: str
    ) -> None:
        if depth not in ARCHITECTURES:
            raise ValueError(f'depth is {depth}; expected one of {sorted(ARCHITECTURES)}.')
        if not (0 < width < math.inf and round(64 * width) >= 1):
            raise ValueError(f'width is {width}; expected a factor above 0, such as 0.25 or 2.')
        if not out_indices or any(i not in range(4) for i in out_indices):
            raise ValueError(f'out_indices is {tuple(out_indices)}; expected stages 0 to 3.')
        if list(out_indices) != sorted(set(out_indices)):
            raise ValueError(
                f'out_indices is {tuple(out_indices)}; maps are returned from the first stage to '
                f'the last, expected {tuple(sorted(set(out_indices)))}.'
            )
        built = max(out_indices) + 1
        if frozen_stages not in range(-1, built + 1):
            raise ValueError(
                f'frozen_stages is {frozen_stages}; expected -1 (none) to {built} (all that '
                'out_indices needs).'
            )
        if stem not in ('imagenet', 'small'):
            raise ValueError(f"stem is {stem!r}; expected 'imagenet' or 'small'.")

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps (B, C, H, W) of ``out_indices`` for normalized images (B, 3, H, W)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        maps = []
        for stage in range(max(self.out_indices) + 1):
            x = getattr(self, f'layer{stage + 1}')(x)
            if stage in self.out_indices:
                maps.append(x)
        return tuple(maps)

    def train(self, mode: bool = True) -> ResNet:
        """Switch to training, except what is frozen."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def _freeze(self) -> None:
        if self.frozen_stages < 0:
            return
        frozen = [self.conv1, self.bn1]
        frozen += [getattr(self, f'layer{n}') for n in range(1, self.frozen_stages + 1)]
        for module in frozen:
            module.eval()
            module.requires_grad_(False)
