"""Layer-wise rates against a slow listing of every parameter's rate."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import nn

from mochi_mm.engine.optim_wrappers.layer_wise_rates import layer_scales
from mochi_mm.launch.check_sections import check_sections
from mochi_mm.models.layers.norm_twins import NormTwins
from mochi_mm.registry import MODELS
from tests.models.algorithms.toy import build_moco

VIT = dict(
    type='TimmBackbone',
    model_name='vit_tiny_patch16_224',
    model_kwargs=dict(img_size=16, embed_dim=24, depth=3, num_heads=2),
)
CONVNEXT = dict(
    type='TimmBackbone',
    model_name='convnext_atto',
    model_kwargs=dict(depths=(1, 1, 1, 1), dims=(8, 8, 8, 8)),
)


class Model(nn.Module):
    def __init__(self, backbone: dict[str, Any]) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.neck = nn.Linear(4, 2)


def rates(model: nn.Module, **paramwise: Any) -> dict[str, float]:
    """Build the optimizer and list the rate of every trained parameter by its name."""
    init_default_scope('mochi_mm')
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            optimizer=dict(type='SGD', lr=0.4, momentum=0.9, weight_decay=0.01),
            constructor='LayerWiseRates',
            paramwise_cfg=paramwise,
        ),
    )
    found = {}
    for name, parameter in model.named_parameters():
        groups = [g for g in wrapper.param_groups if any(p is parameter for p in g['params'])]
        assert len(groups) == int(parameter.requires_grad), name
        if groups:
            found[name] = groups[0]['lr']
    return found


def wanted(name: str, starts: dict[str, int], top: int) -> float:
    for start, stage in starts.items():
        if name.startswith(start):
            rate = 0.4
            for _ in range(top - stage):
                rate *= 0.5
            return rate
    return 0.4


RESNET = {'backbone.conv1': 0, 'backbone.bn1': 0, **{f'backbone.layer{i}.': i for i in range(1, 5)}}
PLAIN_VIT = {
    **{f'backbone.timm.{name}': 0 for name in ('cls_token', 'pos_embed', 'patch_embed')},
    **{f'backbone.timm.blocks.{i}.': i + 1 for i in range(3)},
}
STAGES = {'backbone.timm.stem': 0, **{f'backbone.timm.stages.{i}.': i + 1 for i in range(4)}}
PARTS = {
    f'backbone.backbones.{part}.{name}': stage
    for part in (0, 1)
    for name, stage in (('conv1', 0), ('bn1', 0), *((f'layer{i}.', i) for i in (1, 2, 3)))
}


@pytest.mark.parametrize(
    ('backbone', 'starts', 'top'),
    [
        (dict(type='ResNet', depth=10, width=0.125, stem='small'), RESNET, 5),
        (VIT, PLAIN_VIT, 4),
        (CONVNEXT, STAGES, 5),
        (
            dict(
                type='SplitBackbone',
                backbones=[
                    dict(type='CIFARResNet', depth=8, width=2, in_channels=c) for c in (1, 2)
                ],
            ),
            PARTS,
            4,
        ),
    ],
)
def test_every_parameter_has_the_rate_of_its_stage(
    backbone: dict[str, Any], starts: dict[str, int], top: int
) -> None:
    found = rates(Model(backbone), layer_decay=0.5)
    for name, rate in found.items():
        assert rate == pytest.approx(wanted(name, starts, top), rel=1e-12), name
    assert {name.split('.')[0] for name in found} == {'backbone', 'neck'}
    assert len({round(rate, 9) for rate in found.values()}) == top + 1


def test_the_averaged_encoder_is_in_no_group_and_other_keys_multiply() -> None:
    model = build_moco()
    found = rates(model, layer_decay=0.5, custom_keys={'backbone.layer4': dict(lr_mult=0.1)})
    assert found['backbone.layer4.0.conv1.weight'] == pytest.approx(0.4 * 0.5 * 0.1)
    assert found['backbone.conv1.weight'] == pytest.approx(0.4 / 32)
    assert not any(name.startswith('key_encoder') for name in found)
    assert any(name.startswith('neck.') for name in found)


def test_norms_that_stand_apart_have_the_rate_of_their_stage() -> None:
    backbone = dict(type='ResNet', depth=10, width=0.125, stem='small')
    model = Model(backbone)
    model.norm_twins = nn.ModuleDict(dict(backbone=NormTwins(model.backbone)))
    found = rates(model, layer_decay=0.5)
    twins = [name for name in found if name.startswith('norm_twins.')]
    assert len(twins) == 2 * 12
    for name in twins:
        assert found[name] == found[name.removeprefix('norm_twins.')], name
    assert found['norm_twins.backbone.bn1.bias'] == pytest.approx(0.4 / 32)


def test_mistakes() -> None:
    model = build_moco()
    for decay in (None, 0, -0.5, 1.5, 'half', True):
        with pytest.raises(ValueError, match='layer_decay is .*expects a number in'):
            rates(model, layer_decay=decay)
    with pytest.raises(ValueError, match='finds no stages'):
        layer_scales(['encoder.layer1.0.weight'], 0.5)
    with pytest.raises(ValueError, match='cannot tell how deep backbone.gate.weight lies'):
        layer_scales(['backbone.layer1.0.weight', 'backbone.gate.weight'], 0.5)
    wrapper = dict(constructor='LayerWiseRates', paramwise_cfg=dict(layer_dcay=0.5))
    with pytest.raises(ValueError, match="did you mean 'layer_decay'"):
        check_sections(Config(dict(optim_wrapper=wrapper))._cfg_dict)
    torch.testing.assert_close(rates(model, layer_decay=1.0)['backbone.conv1.weight'], 0.4)
