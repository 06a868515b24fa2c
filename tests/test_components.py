"""Every registered component is built here, from its defaults and examples of what it must have."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from mochi_mm.datasets import OpenWorld, ShapeScenes
from mochi_mm.registry import components

QUEUE = dict(type='FeatureQueue', length=8, dim=4)
BANK = dict(type='InstanceBank', length=8, dim=4)
RINGS = dict(type='ClassBalancedQueue', num_classes=3, per_class=2, dim=4)
NECK = dict(type='MLPNeck', in_channels=64, out_channels=4)
RESNET = dict(type='ResNet', depth=10, width=0.125, stem='small')
SPLIT = [dict(RESNET, in_channels=1), dict(RESNET, in_channels=2)]

# Examples of arguments without a default, by name: what is called the same means the same in all
# components. {tmp} stands for a temporary folder with one image.
EXAMPLES: dict[str, Any] = dict(
    backbone=RESNET,
    backbones=SPLIT,
    bank=dict(type='ClusterBank', length=8, num_clusters=2, dim=4),
    bank_dataloader={},
    checkpoint='none.pth',
    data_root='{tmp}',
    dataloader={},
    dataset=dict(type='ShapeScenes', num_scenes=3),
    datasets=[dict(type='ShapeScenes', num_scenes=3)],
    depth=10,
    dim=4,
    factor=0.5,
    finder=dict(type='FalseNegativeFinder', num_support=1),
    in_channels=4,
    label_dataloader={},
    layer='layer2.0.conv2',
    length=8,
    memories=[BANK, BANK],
    memory=QUEUE,
    model_name='resnet10t',
    neck=NECK,
    necks=[NECK, NECK],
    num=3,
    num_classes=3,
    num_hard=3,
    num_known=1,
    num_views=[2],
    optimizer=torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1),
    pseudo_labels=dict(type='PseudoLabels', length=8, num_clusters=[2]),
    query_dataloader={},
    size=4,
    times=2,
    transforms=[[dict(type='RandomResizedCrop', size=4)]],
)
# Where an argument has another meaning, or a default that would take long.
SPECIAL: dict[str, dict[str, Any]] = {
    'AdversarialContrast': dict(view_editors=[dict(type='AdversarialViews')]),
    'BackgroundShapeScenes': dict(num_scenes=3),
    'ClusterBank': dict(length=8, num_clusters=2),
    'ColouredShapeScenes': dict(num_scenes=3),
    'CombinedShapeScenes': dict(num_scenes=3),
    'CrossViewContrast': dict(
        backbone=dict(type='SplitBackbone', backbones=SPLIT),
        neck=dict(type='SplitNeck', necks=[NECK, NECK]),
        head=dict(type='CrossViewHead', memories=[BANK, BANK], num_negatives=3),
    ),
    'FalseNegativeRemoval': dict(rule='top_k', top_k=2),
    'FeatureQueue': dict(length=8),
    'KeyedSampler': dict(dataset=range(5), seed=0),
    'TwoStreamSampler': dict(
        dataset=OpenWorld(ShapeScenes(num_scenes=20), num_known=3, labeled_share=0.5), seed=0
    ),
    'LayerWiseRates': dict(
        optim_wrapper_cfg=dict(optimizer=dict(type='SGD', lr=0.1)),
        paramwise_cfg=dict(layer_decay=0.5),
    ),
    'RepresentationGuardHook': dict(dataloader={}),
    'LongTail': dict(dataset=dict(type='ShapeScenes', num_scenes=20)),
    'NoisyLabels': dict(dataset=dict(type='ShapeScenes', num_scenes=50)),
    'PseudoLabels': dict(length=8, num_clusters=[2]),
    'ResComHead': dict(memory=RINGS, num_positives=1, num_negatives=4),
    'OpenWorld': dict(dataset=dict(type='ShapeScenes', num_scenes=20)),
    'SafeLocalVisBackend': dict(save_dir='{tmp}'),  # an argument of the class it extends
    'ShapeScenes': dict(num_scenes=3),
}
# Built by a runner or from files; their own tests build them.
ELSEWHERE = {
    'EpochBasedTrainLoop': 'needs a runner',
    'KNNLoop': 'needs a runner',
    'LARS': 'builds a class of timm',
    'PackedImages': 'needs a pack',
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


def arguments_of(name: str, tmp_path: Path) -> dict[str, Any]:
    """Examples of what the component must be given, and what it is given for itself.

    Raises:
        KeyError: It must have an argument of which there is no example.
    """
    component = components()[name][1]
    needed = [
        parameter.name
        for parameter in inspect.signature(component).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    if getattr(component, 'with_memory', False):
        needed.append('memory')
    special = SPECIAL.get(name, {})
    if lacking := [key for key in needed if key not in {**EXAMPLES, **special}]:
        raise KeyError(f'{name} must be given {lacking}: a default, or an example in EXAMPLES')
    given = {key: EXAMPLES[key] for key in needed if key not in special} | special
    return {k: str(tmp_path) if v == '{tmp}' else copy.deepcopy(v) for k, v in given.items()}


@pytest.mark.parametrize('name', components())
def test_builds_prints_saves_and_loads(name: str, tmp_path: Path) -> None:
    if name in ELSEWHERE:
        pytest.skip(ELSEWHERE[name])
    if name == 'TimmBackbone':
        pytest.importorskip('timm', reason='timm is not installed')
    registry, _ = components()[name]
    Image.new('RGB', (8, 8)).save(tmp_path / 'one.png')
    component = registry.build(dict(type=name, **arguments_of(name, tmp_path)))
    assert repr(component)
    assert type(component).__doc__ and type(component).__module__.split('.')[0] == 'mochi_mm'
    if isinstance(component, nn.Module):
        torch.save(component.state_dict(), tmp_path / 'state.pth')
        again = registry.build(dict(type=name, **arguments_of(name, tmp_path)))
        again.load_state_dict(torch.load(tmp_path / 'state.pth', weights_only=True))
        for key, value in again.state_dict().items():
            assert torch.equal(value, component.state_dict()[key]), key


@pytest.mark.parametrize('name', components())
def test_unknown_arguments_are_refused(name: str) -> None:
    if name in PASS_ON:
        pytest.skip('passes its arguments on to the library it extends, which refuses them')
    registry, _ = components()[name]
    with pytest.raises(ValueError, match='unknown argument'):
        registry.build(dict(type=name, no_such_argument=1))


def test_one_component_a_file_named_after_it() -> None:
    for name, (_, component) in components().items():
        stem = component.__module__.split('.')[-1].replace('_', '')
        assert stem == name.lower().replace('_', ''), f'{name} stands in {component.__module__}'


def test_nothing_is_listed_in_vain() -> None:
    """An entry of a table here belongs to a component or an argument that there is."""
    found = components()
    assert sorted({*SPECIAL, *ELSEWHERE, *PASS_ON} - set(found) - DETECTION) == []
    names = {p for _, c in found.values() for p in inspect.signature(c).parameters}
    assert sorted(set(EXAMPLES) - names) == []


DETECTION = {'CocoDetection', 'CocoDetectionMetric', 'VOCDetection'}  # where mmdet is installed
