"""Any encoder of the timm library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.files.array_file import read_arrays
from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.registry import MODELS, nearest


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """A timm model without its classifier, pooled the way timm pools it.

    Args:
        model_name: A name that ``timm.list_models()`` knows.
        model_kwargs: Further arguments of ``timm.create_model``. Weights are never downloaded
            unless ``pretrained=True`` is among them; a local file (``checkpoint_path``, ``file``
            in a ``pretrained_cfg``) must be plain data.
        init_cfg: See MMEngine; the default is timm's own initialisation.

    Raises:
        FileNotFoundError: A local file that is not there.
        ValueError: An unknown model, or a local file that is not plain data.
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
        for file in local_files(model_kwargs or {}):
            look_at(file)
        self.model_name = model_name
        self.timm = timm.create_model(model_name, num_classes=0, **(model_kwargs or {}))
        self.timm.is_init = True  # or MMEngine would draw again what timm drew or loaded
        self.out_channels = int(self.timm.num_features)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the pooled features (B, C) of images (B, 3, H, W), as a tuple of one."""
        return (self.timm(images),)


def local_files(model_kwargs: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the files that ``timm.create_model`` would read weights from."""
    files = [model_kwargs.get('checkpoint_path')]
    if model_kwargs.get('pretrained'):
        settings = [model_kwargs.get(name) for name in ('pretrained_cfg', 'pretrained_cfg_overlay')]
        files += [part.get('file') for part in settings if isinstance(part, Mapping)]
    for file in files:
        if file:
            yield local_path(str(file))


def look_at(file: Path) -> None:
    """Refuse a file of weights that is not plain data, in our words, before timm reads it."""
    if file.suffix.lower() in ('.npz', '.npy'):
        read_arrays(file)
    else:
        read_checkpoint(file)
