"""Every registered component is built here; one that is missing from the table fails."""

from __future__ import annotations

import copy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mochi_mm import registry as registries
from mochi_mm.registry import ComponentRegistry

if find_spec('mmdet') is not None:
    import mochi_mm.transfer  # noqa: F401  its components register when imported

QUEUE = dict(type='FeatureQueue', length=8, dim=4)
BANK = dict(type='InstanceBank', length=8, dim=4)
NECK = dict(type='MLPNeck', in_channels=64, out_channels=4)
FINDER = dict(type='FalseNegativeFinder', num_support=1)
RESNET = dict(type='ResNet', depth=10, width=0.125, stem='small')

# Arguments each component is built with. {tmp} stands for a temporary folder with one image.
ARGUMENTS: dict[str, dict[str, Any]] = {
    'AnalysisHook': dict(dataloader={}),
    'AutoAugment': {},
    'BF16OptimWrapper': dict(optimizer=torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)),
    'C4SharedHead': dict(depth=10, width=0.25),
    'CenterCrop': dict(size=4),
    'CheckpointHook': {},
    'ClassCheckHook': {},
    'CocoDetectionMetric': {},
    'ColorSpaceDataPreprocessor': {},
    'ColouredShapeScenes': dict(num_scenes=3),
    'ColorJitter': dict(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1),
    'ContrastiveHead': dict(memory=QUEUE),
    'ConcatDataset': dict(datasets=[dict(type='ShapeScenes', num_scenes=3)]),
    'CrossViewContrast': dict(
        backbone=dict(
            type='SplitBackbone', backbones=[dict(RESNET, in_channels=n) for n in (1, 2)]
        ),
        neck=dict(type='SplitNeck', necks=[NECK, NECK]),
        head=dict(type='CrossViewHead', memories=[BANK, BANK], num_negatives=3),
    ),
    'CrossViewHead': dict(memories=[BANK, BANK], num_negatives=3),
    'DataFaultHook': {},
    'DecoupledHead': {},
    'DetectorPretrainedHook': {},
    'EMAUpdateHook': {},
    'DeviceMultiView': dict(transforms=[[dict(type='RandomResizedCrop', size=4)]], num_views=[2]),
    'Extrapolation': dict(num=3),
    'FastMultiView': dict(transforms=[[dict(type='RandomResizedCrop', size=4)]], num_views=[2]),
    'FairKLHead': {},
    'FalseNegativeFinder': {},
    'FalseNegativeHead': dict(finder=FINDER),
    'FeatureQueue': dict(length=8, dim=4),
    'GaussianBlur': {},
    'GradientStep': dict(num=3),
    'HardNegativeMixing': dict(num_hard=3, mixers=[dict(type='PairMixing', num=2)]),
    'HardNegativeMixingHead': dict(
        memory=QUEUE, num_hard=3, mixers=[dict(type='PairMixing', num=2)]
    ),
    'InBatchContrast': dict(backbone=RESNET, head=dict(type='NTXentHead')),
    'ImageClassifier': dict(backbone=RESNET),
    'ImageFolder': dict(data_root='{tmp}'),
    'InMemory': dict(dataset=dict(type='ShapeScenes', num_scenes=3)),
    'InstanceBank': dict(length=8, dim=4),
    'Prototypes': dict(length=8, dim=4),
    'SampleTable': dict(length=8),
    'KNNHook': dict(bank_dataloader={}, query_dataloader={}),
    'KeyedRandomHook': {},
    'KeyedSampler': dict(dataset=range(5), seed=0),
    'KeyBatchHead': {},
    'LinearHead': dict(num_classes=3, in_channels=4),
    'MLPNeck': dict(in_channels=4),
    'MoCo': dict(
        backbone=RESNET,
        neck=dict(type='MLPNeck', in_channels=64, out_channels=4),
        head=dict(type='ContrastiveHead', memory=QUEUE),
    ),
    'MultiView': dict(transforms=[[dict(type='RandomFlip')]], num_views=[2]),
    'NonFiniteHook': {},
    'NTXentHead': {},
    'NoiseInjection': dict(num=3),
    'OnlineProbeHook': dict(num_classes=3),
    'PackInputs': {},
    'PairMixing': dict(num=3),
    'PreemptionHook': {},
    'Pretrained': dict(checkpoint='none.pth'),
    'PreciseBNHook': {},
    'PretrainedHook': {},
    'QueryMixing': dict(num=3),
    'RandAugment': {},
    'RandomFlip': {},
    'RandomGrayscale': {},
    'RandomResizedCrop': dict(size=4),
    'RankCheckHook': {},
    'RandomSolarize': {},
    'RepeatDataset': dict(dataset=dict(type='ShapeScenes', num_scenes=3), times=2),
    'ResNet': dict(depth=18, width=0.25),
    'Resize': dict(size=4),
    'HeldMultiView': dict(transforms=[[dict(type='RandomResizedCrop', size=4)]], num_views=[2]),
    'HoldImagesHook': {},
    'RevertSyncBNHook': {},
    'RunCheckHook': {},
    'SafeLocalVisBackend': dict(save_dir='{tmp}'),
    'SetEpochHook': {},
    'ShapeScenes': dict(num_scenes=3),
    'SoftContrastiveHead': dict(memory=QUEUE),
    'SplitBackbone': dict(backbones=[dict(RESNET, in_channels=n) for n in (1, 2)]),
    'SplitNeck': dict(necks=[NECK, NECK]),
    'SupConHead': {},
    'SupInfoNCEHead': {},
    'SignStep': dict(num=3),
    'TimmBackbone': dict(model_name='resnet10t'),
    'TopKAccuracy': {},
    'VOCDetectionMetric': {},
    'ViewDataPreprocessor': {},
}
# Built by a runner or from files; their own tests build them.
ELSEWHERE = {
    'EpochBasedTrainLoop': 'needs a runner',
    'KNNLoop': 'needs a runner',
    'LARS': 'builds a class of timm',
    'SVMLoop': 'needs a runner',
    'SafeRunner': 'is built from a whole config',
    'TorchVisionDataset': 'needs the files of its data set',
    'start_worker': 'changes the signals of its process',
    'CocoDetection': 'needs the files of its data set',
    'VOCClassification': 'needs the files of its data set',
    'VOCDetection': 'needs the files of its data set',
}
# Pass on what they do not know to the library they extend, which refuses it.
PASS_ON = ('BF16OptimWrapper', 'CocoDetection', 'CocoDetectionMetric', 'VOCDetection')


def components() -> list[tuple[ComponentRegistry, str]]:
    found = []
    for registry in vars(registries).values():
        if isinstance(registry, ComponentRegistry):
            registry.import_from_location()
            found += [
                (registry, name)
                for name, cls in registry.module_dict.items()
                if cls.__module__.startswith('mochi_mm.')
            ]
    return sorted(found, key=lambda pair: pair[1])


@pytest.mark.parametrize(('registry', 'name'), components(), ids=lambda value: str(value)[:30])
def test_builds_prints_saves_and_loads(
    registry: ComponentRegistry, name: str, tmp_path: Path
) -> None:
    if name in ELSEWHERE:
        pytest.skip(ELSEWHERE[name])
    if name == 'TimmBackbone':
        pytest.importorskip('timm', reason='timm is not installed')
    assert name in ARGUMENTS, f'{name} is registered but has no line in this table'
    arguments = copy.deepcopy(ARGUMENTS[name])
    for key, value in arguments.items():
        if value == '{tmp}':
            from PIL import Image

            Image.new('RGB', (8, 8)).save(tmp_path / 'one.png')
            arguments[key] = str(tmp_path)
    component = registry.build(dict(type=name, **arguments))
    assert repr(component)
    assert type(component).__doc__ and type(component).__module__.split('.')[0] == 'mochi_mm'
    if isinstance(component, nn.Module):
        torch.save(component.state_dict(), tmp_path / 'state.pth')
        again = registry.build(dict(type=name, **copy.deepcopy(ARGUMENTS[name])))
        again.load_state_dict(torch.load(tmp_path / 'state.pth', weights_only=True))
        for key, value in again.state_dict().items():
            assert torch.equal(value, component.state_dict()[key]), key


@pytest.mark.parametrize(('registry', 'name'), components(), ids=lambda value: str(value)[:30])
def test_unknown_arguments_are_refused(registry: ComponentRegistry, name: str) -> None:
    if name in PASS_ON:
        pytest.skip('passes its arguments on to the library it extends, which refuses them')
    with pytest.raises(ValueError, match='unknown argument'):
        registry.build(dict(type=name, no_such_argument=1))


def test_one_component_a_file_named_after_it() -> None:
    for _, name in components():
        cls = next(r.get(name) for r, n in components() if n == name)
        stem = cls.__module__.split('.')[-1].replace('_', '')
        assert stem == name.lower().replace('_', ''), f'{name} stands in {cls.__module__}'
