"""Files of other projects, as their training scripts write them, at every door.

Names and places were read in the projects' own code, or are those that their users meet; the files
themselves are made here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mochi_mm.engine.initializers.pretrained import Pretrained
from mochi_mm.export.detectron2_format import to_detectron2
from mochi_mm.export.huggingface_format import to_transformers
from mochi_mm.files.load_weights import load_backbone, load_for_test
from mochi_mm.files.weights_source import read_source
from mochi_mm.registry import MODELS
from tests.files.test_load_weights import ONE, TOY, assert_backbone, behind, network, save
from tests.models.algorithms.toy import build_moco

Weights = dict[str, Tensor]


def shortcut(net: nn.Module, prefix: str) -> Weights:
    """As SupContrast and the ResNets of CIFAR name the downsampling."""
    return {
        prefix + name.replace('.downsample.', '.shortcut.'): value
        for name, value in net.state_dict().items()
    }


def numbered(net: Any, prefix: str, relu: bool = True, pool: bool = True) -> Weights:
    """As a Sequential of the network's children names them."""
    parts = ['conv1', 'bn1', *['relu'] * relu, *['maxpool'] * pool]
    parts += ['layer1', 'layer2', 'layer3', 'layer4']
    children = nn.Sequential(*[getattr(net, name) for name in parts])
    return {prefix + name: value for name, value in children.state_dict().items()}


def renamed(net: nn.Module, rename: Callable[[str], str], prefix: str = '') -> Weights:
    return {prefix + rename(name): value for name, value in net.state_dict().items()}


def other() -> nn.Module:
    """An averaged encoder, or a student, beside the one that is meant."""
    return network(9)


HEAD: Weights = {'module.head.0.weight': torch.zeros(4, 4)}
OPTIMIZER = dict(state={0: dict(momentum_buffer=torch.zeros(3))}, param_groups=[dict(lr=0.1)])
RUN: dict[str, Any] = dict(optimizer=OPTIMIZER, epoch=3)

FILES: dict[str, tuple[str, Callable[[nn.Module], Any]]] = {
    'SupContrast': (
        'SupContrast or PyContrast',
        lambda net: dict(model=shortcut(net, 'encoder.module.') | {'head.0.weight': ONE}, **RUN),
    ),
    'SupContrast, wrapped as a whole': (
        'SupContrast or PyContrast',
        lambda net: dict(model=shortcut(net, 'module.encoder.') | HEAD, opt=None, **RUN),
    ),
    'SimSiam': (
        'SimSiam',
        lambda net: dict(
            arch='resnet50',
            state_dict=behind(
                'module.encoder.',
                net,
                **{'module.encoder.fc.0.weight': ONE, 'module.predictor.0.weight': ONE},
            ),
            **RUN,
        ),
    ),
    'PyContrast': (
        'SupContrast or PyContrast',
        lambda net: dict(
            model=behind('module.encoder.', net, **HEAD),
            contrast=dict(memory=torch.zeros(8, 4)),
            model_ema=behind('encoder.', other()),
            **RUN,
        ),
    ),
    'PixPro': (
        'PixPro',
        lambda net: dict(
            model=behind('module.encoder.', net, **behind('module.encoder_k.', other())), **RUN
        ),
    ),
    'MoCo-v3': (
        'official MoCo-v3',
        lambda net: dict(
            state_dict=behind(
                'module.base_encoder.', net, **behind('module.momentum_encoder.', other())
            )
        ),
    ),
    'BarlowTwins, VICReg': (
        'BarlowTwins or VICReg',
        lambda net: dict(
            model=behind('module.backbone.', net, **{'module.projector.0.weight': ONE}), **RUN
        ),
    ),
    'SwAV': (
        'bare weights',
        lambda net: behind(
            'module.',
            net,
            **{'module.projection_head.0.weight': ONE, 'module.prototypes.weight': ONE},
        ),
    ),
    'DINO': (
        'DINO or iBOT',
        lambda net: dict(
            student=behind('module.backbone.', other(), **{'module.head.last_layer.weight_v': ONE}),
            teacher=behind('backbone.', net, **{'head.last_layer.weight_v': ONE}),
            dino_loss=dict(center=torch.zeros(1, 4)),
            **RUN,
        ),
    ),
    'DINO, the student alone': ('mm library', lambda net: dict(student=behind('backbone.', net))),
    'I-JEPA': (
        'bare weights',
        lambda net: dict(
            encoder=behind('module.', other()),
            predictor={'module.predictor_embed.weight': ONE},
            target_encoder=behind('module.', net),
        ),
    ),
    'BYOL of 2020': (
        'an unknown program (behind encoder., named as a list of its parts',
        lambda net: dict(
            online_network_state_dict=numbered(net, 'encoder.') | {'projetion.net.0.weight': ONE},
            target_network_state_dict=numbered(other(), 'encoder.'),
            optimizer_state_dict=OPTIMIZER,
        ),
    ),
    'BYOL in one model': (
        'behind online_network.encoder.',
        lambda net: dict(
            model=behind('module.online_network.encoder.', net, **{'module.predictor.w': ONE}),
            config=dict(name='byol'),
        ),
    ),
    'SimCLR as a list': (
        'behind f.',
        lambda net: numbered(net, 'f.', pool=False) | {'g.0.weight': ONE},
    ),
    'SimCLR with projector': (
        'solo-learn before 1.0.3, or',
        lambda net: behind('encoder.', net, **{'projector.0.weight': ONE}),
    ),
    'lightly, its own ResNet': (
        'lightly',
        lambda net: dict(
            state_dict=numbered(net, 'backbone.', relu=False, pool=False)
            | {'projection_head.layers.0.weight': ONE}
        ),
    ),
    'CIFAR': ('bare weights', lambda net: dict(net=shortcut(net, 'module.'), acc=95.0, epoch=1)),
    'under network': ('bare weights', lambda net: dict(network=behind('', net))),
    'under encoder': ('bare weights', lambda net: dict(encoder=behind('', net), head={'w': ONE})),
    'under a name of its own': ('bare weights', lambda net: dict(weights_of_mine=behind('', net))),
    'two deep': ('bare weights', lambda net: dict(payload=dict(state_dict=behind('', net)))),
    'Lightning, behind a name of its own': (
        'behind my_net.trunk.',
        lambda net: dict(state_dict=behind('my_net.trunk.', net), epoch=1, global_step=9),
    ),
    'timm in an mm library': (
        'behind backbone.timm_model.',
        lambda net: dict(state_dict=behind('backbone.timm_model.', net), meta=dict(epoch=1)),
    ),
    'timm training script': (
        'bare weights',
        lambda net: dict(state_dict=behind('', net), state_dict_ema=behind('', other()), arch='r'),
    ),
    'torchvision references': (
        'bare weights',
        lambda net: dict(
            model=behind('', net),
            model_ema=behind('module.', other(), n_averaged=torch.tensor(3)),
            **RUN,
        ),
    ),
    'DeepSpeed': ('bare weights', lambda net: dict(module=behind('module.', net), dp_world_size=8)),
    'FSDP and checkpointing': (
        'mm library',
        lambda net: dict(
            model=behind('_fsdp_wrapped_module.backbone._checkpoint_wrapped_module.', net)
        ),
    ),
    'wrapped twice': ('mm library', lambda net: behind('module.module.backbone.', net)),
    'detectron2': (
        'detectron2',
        lambda net: dict(model=renamed(net, to_detectron2), matching_heuristics=True),
    ),
    'a detector of detectron2': (
        'mm library',
        lambda net: dict(model=renamed(net, to_detectron2, 'backbone.bottom_up.') | {'x.w': ONE}),
    ),
    'transformers': ('transformers', lambda net: renamed(net, to_transformers)),
    'transformers, with a classifier': (
        'transformers',
        lambda net: renamed(net, to_transformers, 'resnet.') | {'classifier.1.weight': ONE},
    ),
}


@pytest.mark.parametrize('kind', FILES)
def test_every_project_through_every_door(tmp_path: Path, kind: str) -> None:
    written_by, write = FILES[kind]
    net = network()
    path = save(tmp_path, write(net))
    model = build_moco(seed=2)
    assert written_by in load_backbone(model, path)
    assert_backbone(model.backbone, net)
    part = MODELS.build(dict(type='ResNet', **TOY))
    Pretrained(str(path))(part)
    assert_backbone(part, net)
    only = nn.ModuleDict(dict(backbone=MODELS.build(dict(type='ResNet', **TOY))))
    load_for_test(only, path)
    assert_backbone(only['backbone'], net)
    tensors = read_source(path, net.state_dict()).tensors
    assert all(torch.equal(tensors[name], value) for name, value in net.state_dict().items())


def test_safetensors_of_a_hub(tmp_path: Path) -> None:
    net = network()
    contiguous = {name: t.contiguous() for name, t in renamed(net, to_transformers).items()}
    save_file(contiguous, tmp_path / 'model.safetensors')
    model = build_moco(seed=2)
    load_backbone(model, tmp_path / 'model.safetensors')
    assert_backbone(model.backbone, net)


HALVES = {
    'CMC': ('encoder.module.l_to_ab.', 'encoder.module.ab_to_l.'),
    'PyContrast': ('module.encoder1.', 'module.encoder2.'),
}


@pytest.mark.parametrize('kind', HALVES)
def test_two_encoders_of_cmc(tmp_path: Path, kind: str) -> None:
    nets = [network(seed, in_channels=i) for seed, i in ((1, 1), (2, 2))]
    first, second = HALVES[kind]
    others = {'module.head1.0.weight': ONE}
    path = save(tmp_path, dict(model=behind(first, nets[0], **behind(second, nets[1])) | others))
    split = MODELS.build(
        dict(
            type='SplitBackbone',
            backbones=[dict(type='ResNet', in_channels=i, **TOY) for i in (1, 2)],
        )
    )
    load_backbone(split, path)
    for part, net in zip(split.backbones, nets, strict=True):
        assert_backbone(part, net)
    alone = MODELS.build(dict(type='ResNet', in_channels=2, **TOY))
    names = [prefix.removeprefix('module.').rstrip('.') for prefix in (first, second)]
    with pytest.raises(ValueError, match=f'holds the backbone 2 times: behind {names[0]}, .*Split'):
        load_backbone(alone, path)
    load_backbone(alone, path, checkpoint_key=names[1])
    assert_backbone(alone, nets[1])


def test_the_other_sets_are_named_and_can_be_chosen(tmp_path: Path) -> None:
    net, average = network(1), network(2)
    path = save(tmp_path, dict(state_dict=behind('', net), state_dict_ema=behind('', average)))
    model = build_moco()
    told = load_backbone(model, path)
    assert 'taken from state_dict; the file also holds state_dict_ema (72)' in told
    assert_backbone(model.backbone, net)
    told = load_backbone(model, path, checkpoint_key='state_dict_ema')
    assert 'taken from state_dict_ema; the file also holds state_dict (72)' in told
    assert_backbone(model.backbone, average)
    only = nn.ModuleDict(dict(backbone=MODELS.build(dict(type='ResNet', **TOY))))
    assert 'state_dict (72)' in load_for_test(only, path, checkpoint_key='state_dict_ema')
    assert_backbone(only['backbone'], average)
    part = MODELS.build(dict(type='ResNet', **TOY))
    Pretrained(str(path), checkpoint_key='state_dict_ema')(part)
    assert_backbone(part, average)
    with pytest.raises(ValueError, match=r"'ema', .* its sets, state_dict \(72\), state_dict_ema"):
        load_backbone(model, path, checkpoint_key='ema')


def test_names_within_a_set_can_be_chosen(tmp_path: Path) -> None:
    net, average = network(1), network(2)
    path = save(
        tmp_path,
        dict(state_dict=behind('module.encoder_q.', net) | behind('module.encoder_k.', average)),
    )
    model = build_moco()
    assert 'beside it encoder_k (72)' in load_backbone(model, path)
    for key in ('encoder_k', 'module.encoder_k.', 'state_dict.encoder_k'):
        load_backbone(model, path, checkpoint_key='encoder_q')
        load_backbone(model, path, checkpoint_key=key)
        assert_backbone(model.backbone, average)


def test_the_averaged_encoder_starts_as_a_copy(tmp_path: Path) -> None:
    """Else it would follow from random weights, for thousands of steps."""
    net, model = network(), build_moco()
    told = load_backbone(model, save(tmp_path, behind('', net)))
    assert_backbone(model.key_encoder['backbone'], net)
    assert 'Started as copies of it: key_encoder' in told


UNKNOWN = {
    'several sets': (
        lambda net: dict(first=behind('', net), second=behind('', net)),
        r'holds several sets of weights: first \(72\), second \(72\)\. .*checkpoint_key',
    ),
    'several places': (
        lambda net: dict(state_dict=behind('a.net.', net) | behind('b.net.', net)),
        r'holds the backbone 2 times: behind a\.net, b\.net\. .*--checkpoint-key a\.net',
    ),
    'another network': (
        lambda net: dict(teacher={'vit.blocks.0.attn.qkv.weight': ONE, 'vit.norm.weight': ONE}),
        r'was not recognized: teacher holds 2 weights, named vit\.blocks.*first part.* vit \(2\)',
    ),
    'a network beside': (
        lambda net: dict(model={'layer1.0.conv1.weight': ONE}, ema=behind('', net)),
        r'was not recognized: model holds 1 .* also holds ema \(72\)\.',
    ),
    'no weights': (
        lambda net: dict(optimizer=OPTIMIZER, epoch=3),
        r'is no checkpoint: it holds optimizer, epoch, and no tensors',
    ),
}


@pytest.mark.parametrize('kind', UNKNOWN)
def test_refusals_say_what_was_seen(tmp_path: Path, kind: str) -> None:
    write, message = UNKNOWN[kind]
    model = build_moco()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_backbone(model, save(tmp_path, write(network())))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
