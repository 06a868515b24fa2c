"""Rates that fall with the depth of a layer: the early ones of a trained backbone move least."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mochi_mm.argument_kinds import is_number
from mochi_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS

#: Before the names of norms that stand beside the backbone's (AdversarialContrast).
_TWINS = 'norm_twins.'
#: Of a parameter behind ``backbone.``, and behind ``timm.`` or ``backbones.N.`` where these follow.
_FIRST = re.compile(
    r'(conv1|bn1|stem|patch_embed|pos_embed|cls_token|dist_token|reg_token|mask_token|norm_pre)\b'
)
_STAGE = re.compile(r'(layer|blocks|stages|layers)\.?(\d+)\.')
_LAST = re.compile(r'(norm|fc_norm|head|attn_pool)\b')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerWiseRates(DefaultOptimWrapperConstructor):
    """Give each stage of the backbone the rate ``lr * layer_decay ** (stages behind it + 1)``.

    ``optim_wrapper.constructor='LayerWiseRates'`` with ``paramwise_cfg=dict(layer_decay=0.7)``. The
    stem of a ResNet (of a ViT the projection of the patches, positions and tokens) is stage 0,
    ``layer1`` (``blocks.0``) stage 1, and so on; what stands behind the last stage, and neck, head
    and predictor, keep the full rate. Norms that stand apart (``norm_twins``) have the rate of
    those beside which they stand. Source: Clark et al., ELECTRA, ICLR 2020; the count of the stages
    is that of the fine-tuning of MAE (both recalled). Other keys of ``paramwise_cfg`` are
    MMEngine's and multiply.

    Args:
        optim_wrapper_cfg: See MMEngine.
        paramwise_cfg: With ``layer_decay``, in (0, 1].

    Raises:
        ValueError: No ``layer_decay``, or one out of range; no rate; when called: a model without a
            backbone, or a parameter of it whose depth its name does not tell.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        decay = (paramwise_cfg or {}).get('layer_decay')
        if not is_number(decay) or not 0 < decay <= 1:
            raise ValueError(
                f'optim_wrapper.paramwise_cfg.layer_decay is {decay!r}; LayerWiseRates expects a '
                'number in (0, 1], such as 0.7: 1 leaves all rates as they are.'
            )
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.layer_decay = float(decay)
        if self.base_lr is None:
            raise ValueError(
                'LayerWiseRates scales optim_wrapper.optimizer.lr, and the config gives none; '
                'expected a number.'
            )
        self.full_rate = float(self.base_lr)

    def add_params(
        self,
        params: list[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Add the groups as MMEngine does, one for each parameter, then set their rates."""
        super().add_params(params, module, prefix, is_dcn_module)
        if prefix:
            return  # a part of the model, of which the whole is still to come
        names = {id(parameter): name for name, parameter in module.named_parameters()}
        scales = layer_scales(list(names.values()), self.layer_decay)
        rates: dict[str, float] = {}
        for group in params:
            (parameter,) = group['params']
            name = names[id(parameter)]
            group['lr'] = group.get('lr', self.full_rate) * scales[name]
            rates.setdefault(_part(name), group['lr'])
        listed = ', '.join(f'{part} {rate:.3g}' for part, rate in rates.items())
        print_log(f'layer-wise rates (layer_decay={self.layer_decay:g}): {listed}', 'current')


def layer_scales(names: Sequence[str], decay: float) -> Mapping[str, float]:
    """Return the factor on the rate of each parameter.

    Args:
        names: Names of all parameters of a model with a ``backbone``.
        decay: Factor from a stage to the one before it.

    Raises:
        ValueError: No parameter of a backbone, or one whose depth its name does not tell.

    >>> layer_scales(['backbone.conv1.weight', 'backbone.layer1.0.bn1.bias', 'neck.bias'], 0.5)
    {'backbone.conv1.weight': 0.25, 'backbone.layer1.0.bn1.bias': 0.5, 'neck.bias': 1.0}
    """
    stages = {name: _stage(name) for name in names if _of_backbone(name)}
    deepest = max((stage for stage in stages.values() if stage is not None), default=0)
    if not deepest:
        raise ValueError(
            'LayerWiseRates finds no stages: no parameter of the model begins with '
            'backbone.layer1, backbone.timm.blocks.0 or the like; expected a model with a ResNet '
            'or a plain vision transformer as its backbone.'
        )
    return {
        name: decay ** (0 if (stage := stages.get(name)) is None else deepest + 1 - stage)
        for name in names
    }


def _of_backbone(name: str) -> bool:
    return name.removeprefix(_TWINS).startswith('backbone.')


def _stage(name: str) -> int | None:
    """Return the number of the stage of a backbone's parameter, None behind the last one."""
    inner = re.sub(r'^backbone\.(backbones\.\d+\.)?(timm\.)?', '', name.removeprefix(_TWINS))
    if _FIRST.match(inner):
        return 0
    if found := _STAGE.match(inner):
        kind, number = found.group(1), int(found.group(2))
        return number if kind == 'layer' else number + 1  # torchvision counts from 1
    if _LAST.match(inner):
        return None
    raise ValueError(
        f'LayerWiseRates cannot tell how deep {name} lies; it knows stems (conv1, patch_embed, '
        '...), stages (layer1, blocks.0, stages.0, layers.0) and what stands behind them (norm, '
        'head). Use paramwise_cfg.custom_keys for this backbone.'
    )


def _part(name: str) -> str:
    """Return the name of the stage, or of the part of the model, that a parameter belongs to."""
    if not _of_backbone(name):
        return name.removeprefix(_TWINS).split('.')[0]
    stage = _stage(name)
    return 'behind the last stage' if stage is None else f'stage {stage}'
