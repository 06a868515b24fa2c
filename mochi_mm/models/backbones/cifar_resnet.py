"""The three-stage residual network of CIFAR (He et al. 2016, section 4.2)."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from mochi_mm.registry import MODELS


@MODELS.register_module()
class CIFARResNet(BaseModule):
    """``depth = 6 n + 2`` layers: three stages of n basic blocks with 16, 32 and 64 channels.

    The ResNet-32 of the long-tailed tables on CIFAR. Blocks that change the resolution have a 1 x 1
    convolution beside them (option B of the paper); the authors of those tables pad with zeros
    there (option A, recalled).

    Args:
        depth: 20, 32, 44, 56 or another 6 n + 2.
        width: Channels of the first stage.
        in_channels: Channels of the images.
        init_cfg: See MMEngine; the default is torchvision's own initialization.

    Raises:
        ValueError: A depth that is not 6 n + 2, or a number below 1.
    """

    def __init__(
        self,
        depth: int = 32,
        width: int = 16,
        in_channels: int = 3,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f'depth is {depth}; expected 6 n + 2, such as 20, 32, 44 or 56.')
        if width < 1 or in_channels < 1:
            raise ValueError(
                f'width is {width} and in_channels is {in_channels}; expected at least 1 of each.'
            )
        self.depth, self.width, self.in_channels = depth, width, in_channels
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        blocks = (depth - 2) // 6
        self.layer1 = _stage(width, width, blocks, stride=1)
        self.layer2 = _stage(width, 2 * width, blocks, stride=2)
        self.layer3 = _stage(2 * width, 4 * width, blocks, stride=2)
        self.out_channels = 4 * width
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the last map (B, 4 width, H / 4, W / 4) of normalized images (B, 3, H, W)."""
        x = self.relu(self.bn1(self.conv1(images)))
        return (self.layer3(self.layer2(self.layer1(x))),)


def _stage(channels: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    """Return a stage; its first block changes channels and resolution."""
    shortcut = None
    if stride > 1:
        shortcut = nn.Sequential(
            nn.Conv2d(channels, planes, 1, stride, bias=False), nn.BatchNorm2d(planes)
        )
    first = BasicBlock(channels, planes, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(planes, planes) for _ in range(blocks - 1)))
