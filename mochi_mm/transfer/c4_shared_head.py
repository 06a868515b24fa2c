"""The last stage of a ResNet as the shared head of a C4 detector, with one more norm."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.registry import MODELS


@MODELS.register_module()
class C4SharedHead(BaseModule):
    """``norm(layer4(x))``: what the pre-trained network goes on with, per region.

    ``layer4.*`` has the names and shapes of the backbone's last stage, so it starts from the same
    checkpoint; ``norm.*`` is new in the detector. The norm is that of the MoCo transfer protocol
    (``Res5ROIHeadsExtraNorm``): in pre-training the features behind res5 are normalized by nothing,
    and a box head on them does not train well.

    Args:
        depth: Depth of the ResNet, see :class:`mochi_mm.models.backbones.ResNet`.
        width: Factor on all channels of the ResNet.
        extra_norm: Whether to add the norm.
        init_cfg: See MMEngine.
    """

    def __init__(
        self,
        depth: int = 50,
        width: float = 1.0,
        extra_norm: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        net = ResNet(depth, width)
        self.layer4 = net.layer4
        self.out_channels = net.out_channels
        self.norm = nn.BatchNorm2d(net.out_channels) if extra_norm else nn.Identity()

    def forward(self, regions: Tensor) -> Tensor:
        """Return (R, out_channels, H / 2, W / 2) for region features (R, C, H, W) of layer3."""
        return self.norm(self.layer4(regions))
