"""The projection head (Chen et al. 2020, SimCLR; two layers without batch norm in MoCo-v2)."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.models.functional.unit_rows import unit_rows
from mochi_mm.registry import MODELS
from mochi_mm.utils.checks import check_integer

NORMS = (None, 'hidden', 'all')


@MODELS.register_module()
class MLPNeck(BaseModule):
    """``num_layers`` linear layers with ReLU between them; one layer is MoCo-v1's projection.

    A layer that batch norm follows has no bias, which the norm would cancel.

    Args:
        in_channels: Width of the input: pooled features, or embeddings for a predictor.
        hidden_channels: Width between the layers; None takes ``in_channels``.
        out_channels: D, width of the embedding.
        num_layers: Linear layers, >= 1.
        norm: Batch norm after no layer (None), after all but the last (``hidden``), or after
            ``all``.
        last_affine: Give the last layer's batch norm, with ``all``, scale and shift.
        last_bias: Give the last layer a bias, where no batch norm follows it.
        normalize_input: Scale each input row to unit length first.
        init_cfg: See MMEngine; the default is torch's own initialization.

    Raises:
        ValueError: No layer, an unknown norm, or a setting that has nothing to act on.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int | None = None,
        out_channels: int = 128,
        num_layers: int = 2,
        norm: str | None = None,
        last_affine: bool = True,
        last_bias: bool = True,
        normalize_input: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self._check(num_layers, norm, last_affine, last_bias)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.normalize_input = normalize_input
        hidden = in_channels if hidden_channels is None else hidden_channels
        for name, width in (('in', in_channels), ('hidden', hidden), ('out', out_channels)):
            check_integer(f'{name}_channels', width, 128)
        widths = [in_channels] + [hidden] * (num_layers - 1) + [out_channels]
        layers: list[nn.Module] = []
        for i in range(num_layers):
            last = i == num_layers - 1
            normed = norm == 'all' or (norm == 'hidden' and not last)
            bias = not normed and (last_bias or not last)
            layers.append(nn.Linear(widths[i], widths[i + 1], bias=bias))
            if normed:
                layers.append(nn.BatchNorm1d(widths[i + 1], affine=last_affine or not last))
            if not last:
                layers.append(nn.ReLU(inplace=True))
        self.layers = nn.Sequential(*layers)

    @staticmethod
    def _check(num_layers: int, norm: str | None, last_affine: bool, last_bias: bool) -> None:
        if num_layers < 1:
            raise ValueError(f'num_layers is {num_layers}; expected at least 1.')
        if norm not in NORMS or (norm == 'hidden' and num_layers < 2):
            raise ValueError(
                f"norm is {norm!r} with {num_layers} layers; expected None, 'hidden' (with at "
                "least two layers) or 'all'."
            )
        if not last_affine and norm != 'all':
            raise ValueError(
                f"last_affine=False is about the last layer's norm, but norm is {norm!r}; set "
                "norm='all' or leave last_affine out."
            )
        if not last_bias and norm == 'all':
            raise ValueError(
                "last_bias=False says nothing with norm='all', where no layer has a bias; leave "
                'it out.'
            )

    def forward(self, features: Tensor) -> Tensor:
        """Return raw embeddings (B, out_channels) of pooled features (B, in_channels)."""
        if self.normalize_input:
            features = unit_rows(features).to(features.dtype)
        return self.layers(features)
