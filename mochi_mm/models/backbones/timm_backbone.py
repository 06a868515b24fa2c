"""Any encoder of the timm library."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.registry import MODELS, nearest


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """A timm model without its classifier, pooled the way timm pools it.

    Args:
        model_name: A name that ``timm.list_models()`` knows.
        model_kwargs: Further arguments of ``timm.create_model``. Weights are never downloaded
            unless ``pretrained=True`` is among them.
        init_cfg: See MMEngine; the default is timm's own initialisation.
    """

    def __init__(
        self,
        model_name: str,
        model_kwargs: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        try:
            import timm
        except ImportError as error:
            raise ImportError(
                'TimmBackbone needs timm: pip install timm (or mochi_mm[timm]).'
            ) from error
        if not timm.is_model(model_name):
            close = nearest(model_name, timm.list_models())
            raise ValueError(
                f'model_name is {model_name!r}, which timm {timm.__version__} does not have; '
                f'nearest names: {", ".join(close) or "none"}.'
            )
        self.model_name = model_name
        self.timm = timm.create_model(model_name, num_classes=0, **(model_kwargs or {}))
        self.out_channels = int(self.timm.num_features)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the pooled features (B, C) of images (B, 3, H, W), as a tuple of one."""
        return (self.timm(images),)
