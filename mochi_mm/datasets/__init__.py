"""Data sets, samplers and transforms."""

from mochi_mm.datasets.background_shape_scenes import BackgroundShapeScenes
from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.channel_shape_scenes import ChannelShapeScenes
from mochi_mm.datasets.coloured_shape_scenes import ColouredShapeScenes
from mochi_mm.datasets.combined_shape_scenes import CombinedShapeScenes
from mochi_mm.datasets.concat_dataset import ConcatDataset
from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.in_memory import InMemory
from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.datasets.long_tail import LongTail
from mochi_mm.datasets.noisy_labels import NoisyLabels
from mochi_mm.datasets.open_world import OpenWorld
from mochi_mm.datasets.packed_images import PackedImages
from mochi_mm.datasets.repeat_dataset import RepeatDataset
from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.datasets.start_worker import start_worker
from mochi_mm.datasets.torchvision_dataset import TorchVisionDataset
from mochi_mm.datasets.two_stream_sampler import TwoStreamSampler
from mochi_mm.datasets.voc_classification import VOCClassification

__all__ = [
    'BackgroundShapeScenes',
    'ChannelShapeScenes',
    'ColouredShapeScenes',
    'CombinedShapeScenes',
    'ConcatDataset',
    'ImageDataset',
    'ImageFolder',
    'InMemory',
    'KeyedSampler',
    'LongTail',
    'NoisyLabels',
    'OpenWorld',
    'PackedImages',
    'RepeatDataset',
    'ShapeScenes',
    'TorchVisionDataset',
    'TwoStreamSampler',
    'VOCClassification',
    'start_worker',
]
