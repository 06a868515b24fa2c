"""Encoders of images."""

from mochi_mm.models.backbones.cifar_resnet import CIFARResNet
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.models.backbones.split_backbone import SplitBackbone
from mochi_mm.models.backbones.timm_backbone import TimmBackbone

__all__ = ['CIFARResNet', 'ResNet', 'SplitBackbone', 'TimmBackbone']
