"""Transforms ``dict -> dict`` on PIL images or ``ChannelImage`` that turn one image into views."""

from mochi_mm.datasets.transforms.auto_augment import AutoAugment
from mochi_mm.datasets.transforms.center_crop import CenterCrop
from mochi_mm.datasets.transforms.channel_jitter import ChannelJitter
from mochi_mm.datasets.transforms.color_jitter import ColorJitter
from mochi_mm.datasets.transforms.compose import Compose
from mochi_mm.datasets.transforms.cutout import Cutout
from mochi_mm.datasets.transforms.device_multi_view import DeviceMultiView
from mochi_mm.datasets.transforms.fast_multi_view import FastMultiView
from mochi_mm.datasets.transforms.gaussian_blur import GaussianBlur
from mochi_mm.datasets.transforms.held_multi_view import HeldMultiView
from mochi_mm.datasets.transforms.multi_view import MultiView
from mochi_mm.datasets.transforms.pack_inputs import PackInputs
from mochi_mm.datasets.transforms.rand_augment import RandAugment
from mochi_mm.datasets.transforms.random_crop import RandomCrop
from mochi_mm.datasets.transforms.random_erasing import RandomErasing
from mochi_mm.datasets.transforms.random_flip import RandomFlip
from mochi_mm.datasets.transforms.random_grayscale import RandomGrayscale
from mochi_mm.datasets.transforms.random_resized_crop import RandomResizedCrop
from mochi_mm.datasets.transforms.random_solarize import RandomSolarize
from mochi_mm.datasets.transforms.resize import Resize
from mochi_mm.datasets.transforms.saliency_mask import SaliencyMask

__all__ = [
    'AutoAugment',
    'CenterCrop',
    'ChannelJitter',
    'ColorJitter',
    'Compose',
    'Cutout',
    'DeviceMultiView',
    'FastMultiView',
    'GaussianBlur',
    'HeldMultiView',
    'MultiView',
    'PackInputs',
    'RandAugment',
    'RandomCrop',
    'RandomErasing',
    'RandomFlip',
    'RandomGrayscale',
    'RandomResizedCrop',
    'RandomSolarize',
    'Resize',
    'SaliencyMask',
]
