"""Any encoder of the timm library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mochi_mm.files.array_file import read_arrays
from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.registry import MODELS, nearest
from mochi_mm.utils.checks import check_choice

#: Arguments that say how a training begins; whoever has the weights needs none of them.
TRAINING_ONLY = ('frozen', 'positions', 'xavier_patches')
POSITIONS = ('timm', 'sincos')


@MODELS.register_module()
class TimmBackbone(BaseModule):
    """A timm model without its classifier, pooled the way timm pools it.

    Args:
        model_name: A name that ``timm.list_models()`` knows.
        model_kwargs: Further arguments of ``timm.create_model``, such as ``in_chans`` for images of
            other than three channels. Weights are never downloaded
            unless ``pretrained=True`` is among them; a local file (``checkpoint_path``, ``file``
            in a ``pretrained_cfg``) must be plain data.
        frozen: Names of timm's modules or parameters that are not trained, such as
            ``('patch_embed',)``; such modules stay in evaluation mode.
        positions: ``timm`` for timm's own table of positions, ``sincos`` for
            :func:`sincos_positions`, which is not trained.
        xavier_patches: Draw the projection of the patches as that of a linear layer, Xavier
            uniform over channels and pixels, and its bias as 0: MoCo-v3's way.
        init_cfg: See MMEngine; the default is timm's own initialization.

    Raises:
        FileNotFoundError: A local file that is not there.
        ValueError: An unknown model; a local file that is not plain data; names in ``frozen``
            that are nowhere; a table or a projection that the model does not have, or that
            would take the place of loaded weights.
    """

    def __init__(
        self,
        model_name: str,
        model_kwargs: dict[str, Any] | None = None,
        frozen: Sequence[str] = (),
        positions: str = 'timm',
        xavier_patches: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('positions', positions, POSITIONS)
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
        model = timm.create_model(model_name, num_classes=0, **(model_kwargs or {}))
        model.is_init = True  # or MMEngine would draw again what timm drew or loaded
        self.out_channels = int(model.num_features)
        self.in_channels = int((model_kwargs or {}).get('in_chans', 3))
        self.timm: nn.Module = model
        self.image_size, self.any_size = image_size(self.timm, model_kwargs or {})
        self.frozen = (frozen,) if isinstance(frozen, str) else tuple(frozen)
        if positions == 'sincos' or xavier_patches:
            self._refuse_loaded(model_kwargs or {})
        if positions == 'sincos':
            self._fix_positions()
        if xavier_patches:
            self._draw_patches()
        self._check_frozen()
        self._freeze()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the pooled features (B, C) of images (B, 3, H, W), as a tuple of one.

        Raises:
            ValueError: Images of another size than the only one that the model takes.
        """
        if not (self.any_size or torch.jit.is_tracing()) and images.shape[-2:] != self.image_size:
            raise ValueError(
                f'images of {tuple(images.shape[-2:])} pixels for {self.model_name}, which takes '
                f'{self.image_size} alone; expected such crops, model_kwargs=dict(img_size=...), '
                'or dynamic_img_size=True where the model has it.'
            )
        return (self.timm(images),)

    def train(self, mode: bool = True) -> TimmBackbone:
        """Switch to training, except what is frozen."""
        super().train(mode)
        self._freeze()
        return self

    def _freeze(self) -> None:
        for name, module in self.timm.named_modules():
            if name in self.frozen:
                module.eval()
        for name, parameter in self.timm.named_parameters():
            if any(f'{name}.'.startswith(f'{part}.') for part in self.frozen):
                parameter.requires_grad_(False)

    def _check_frozen(self) -> None:
        parameters = [name for name, _ in self.timm.named_parameters()]
        for part in self.frozen:
            if not any(f'{name}.'.startswith(f'{part}.') for name in parameters):
                known = sorted({name.partition('.')[0] for name in parameters})
                raise ValueError(
                    f'frozen names {part!r}, but no parameter of {self.model_name} begins with it; '
                    f'expected some of {", ".join(known)}, or a name within one of them.'
                )

    def _refuse_loaded(self, model_kwargs: Mapping[str, Any]) -> None:
        if model_kwargs.get('pretrained') or model_kwargs.get('checkpoint_path'):
            raise ValueError(
                "positions='sincos' and xavier_patches=True would take the place of the weights "
                'that model_kwargs loads; leave them out, and freeze what is to stay as it is: '
                "frozen=('patch_embed', 'pos_embed')."
            )

    @torch.no_grad()
    def _fix_positions(self) -> None:
        """Fill timm's table of positions, and freeze it."""
        table, patches = getattr(self.timm, 'pos_embed', None), self._patches()
        grid = getattr(patches, 'grid_size', None)
        if not isinstance(table, nn.Parameter) or table.ndim != 3 or grid is None:
            raise ValueError(
                f"positions is 'sincos', but {self.model_name} has no table with a row for each "
                "patch; expected a plain vision transformer, or positions='timm'."
            )
        filled = sincos_positions(grid[0], grid[1], table.shape[-1])
        table.zero_()  # rows of the class token and of registers, which stand first
        table[0, -len(filled) :] = filled
        self.frozen = (*self.frozen, 'pos_embed')

    @torch.no_grad()
    def _draw_patches(self) -> None:
        projection = getattr(self._patches(), 'proj', None)
        if not isinstance(projection, nn.Conv2d):
            raise ValueError(
                f'xavier_patches is True, but {self.model_name} does not project patches by one '
                'convolution; expected a plain vision transformer, or False.'
            )
        nn.init.xavier_uniform_(projection.weight.view(len(projection.weight), -1))
        if projection.bias is not None:
            nn.init.zeros_(projection.bias)

    def _patches(self) -> nn.Module | None:
        return getattr(self.timm, 'patch_embed', None)


def sincos_positions(height: int, width: int, dim: int) -> Tensor:
    """Return a table (height * width, dim) of the positions of patches, row by row.

    With ``w_d = 10000^(-4 d / dim)``, d below dim / 4, the entry of the patch in row r and column
    c is ``[sin r w, cos r w, sin c w, cos c w]``. Source: MoCo-v3's table, which on the square
    grids that it is made for is this one.

    Raises:
        ValueError: ``dim`` is no multiple of 4.

    >>> sincos_positions(2, 2, 4)[1].tolist()  # row 0, column 1
    [0.0, 1.0, 0.8414709568023682, 0.5403022766113281]
    """
    if dim % 4:
        raise ValueError(f'dim is {dim}; expected a multiple of 4, two axes of sine and cosine.')
    waves = 10000.0 ** -(torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    rows = torch.arange(height).repeat_interleave(width)[:, None] * waves
    columns = torch.arange(width).repeat(height)[:, None] * waves
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()], dim=1).float()


def image_size(
    model: nn.Module, model_kwargs: Mapping[str, Any]
) -> tuple[tuple[int, int] | None, bool]:
    """Return the size (H, W) of images that a timm model is made for, and if it takes others.

    Args:
        model: What ``timm.create_model`` returned.
        model_kwargs: What it was given.

    Returns:
        None and True where no size is named, as in convolutional networks.
    """
    patches = getattr(model, 'patch_embed', None)
    if size := getattr(patches, 'img_size', None):
        return (int(size[0]), int(size[1])), not getattr(patches, 'strict_img_size', True)
    settings = getattr(model, 'pretrained_cfg', None) or {}
    if not settings.get('fixed_input_size'):
        return None, True
    given = model_kwargs.get('img_size') or settings['input_size'][1:]
    height, width = (given, given) if isinstance(given, int) else given
    return (int(height), int(width)), False


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
