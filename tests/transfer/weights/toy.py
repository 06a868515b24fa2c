"""A detector of the parts that the loader looks at, and files to load into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmdet.models.data_preprocessors import DetDataPreprocessor
from torch import Tensor, nn

from mochi_mm.files.origin import IMAGENET
from mochi_mm.models.backbones.resnet import ResNet

TOY: dict[str, Any] = dict(depth=10, width=0.125)


class SharedHead(nn.Module):
    """The last stage, and a norm that is the detector's own."""

    def __init__(self, **network: Any) -> None:
        super().__init__()
        self.layer4 = ResNet(**network).layer4
        self.norm = nn.BatchNorm2d(self.layer4[-1].bn2.num_features)


class Detector(nn.Module):
    """``c4``: three stages and a shared head; otherwise all four stages and a pyramid."""

    def __init__(self, c4: bool = True, network: Any = None, **preprocessor: Any) -> None:
        super().__init__()
        network = TOY if network is None else network
        settings: dict[str, Any] = dict(mean=IMAGENET.mean, std=IMAGENET.std, bgr_to_rgb=True)
        self.data_preprocessor = DetDataPreprocessor(**{**settings, **preprocessor})
        self.backbone = ResNet(**network)
        self.rpn_head = nn.Linear(2, 2)
        self.roi_head = nn.ModuleDict(dict(bbox_head=nn.Linear(2, 2)))
        if c4:
            del self.backbone.layer4
            self.roi_head.shared_head = SharedHead(**network)
        else:
            self.neck = nn.Conv2d(2, 2, 1)

    def features(self, images: Tensor) -> Tensor:
        """The maps behind layer4, without the detector's norm."""
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1(images))))
        x = net.layer3(net.layer2(net.layer1(x)))
        shared = getattr(self.roi_head, 'shared_head', None)
        return (net if shared is None else shared).layer4(x)


def network(seed: int = 0, **settings: Any) -> ResNet:
    """A network with weights and statistics of its own."""
    torch.manual_seed(seed)
    net = ResNet(**{**TOY, **settings})
    net.train()(torch.randn(4, 3, 32, 32) * 3 + 1)
    return net.eval()


def prefixed(net: nn.Module, prefix: str, **others: Tensor) -> dict[str, Tensor]:
    """The network's weights behind ``prefix``, and other tensors."""
    return {**{prefix + name: value for name, value in net.state_dict().items()}, **others}


def save(folder: Path, content: Any) -> Path:
    """Write a file of weights."""
    torch.save(content, folder / 'weights.pth')
    return folder / 'weights.pth'
