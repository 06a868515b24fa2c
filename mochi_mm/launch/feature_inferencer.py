"""Features of a few images, called as MMEngine's inferencers are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.infer import BaseInferencer
from PIL import Image
from torch import Tensor

from mochi_mm.datasets.any_images import any_images
from mochi_mm.datasets.read_image import read_image
from mochi_mm.evaluation.encoder import Encoder, stack_views, the_view
from mochi_mm.launch.build import ConfigLike
from mochi_mm.launch.get_encoder import get_encoder
from mochi_mm.launch.named_configs import list_models
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import SCOPE
from mochi_mm.utils.checks import check_integer

#: A path, (H, W, 3) uint8 in the order red, green, blue, or a PIL image.
ImageLike = str | Path | np.ndarray | Image.Image


class FeatureInferencer(BaseInferencer):
    """Return the pooled backbone features of images.

    Called as MMEngine's inferencers: ``FeatureInferencer(model, weights)(inputs, batch_size=32)``,
    and the result is the (N, C) float32 features themselves, on the CPU. Unlike those, it reads
    weights as data alone and takes arrays as RGB.

    Args:
        model: Name of a config of the project (:func:`mochi_mm.list_models`), the path of one, a
            whole config, or a file of weights that records its network; None takes the network
            that ``weights`` records.
        weights: Any file with the backbone; None leaves random weights, unless ``model`` is a file.
        device: Device to compute on; None takes the first CUDA device, or the CPU.
        size: See :func:`~mochi_mm.launch.get_encoder.get_encoder`.
        checkpoint_key: Likewise.
        allow_other_input: Likewise.
        show_progress: Show a bar.

    Raises:
        ValueError: See :func:`~mochi_mm.launch.get_encoder.get_encoder`; when called: no images,
            one that cannot be read, or an array of another kind.

    >>> import numpy as np
    >>> inferencer = FeatureInferencer('mochi-128-128-64_resnet10w025_1xb128-quickstart_shapes')
    >>> inferencer([np.zeros((40, 60, 3), np.uint8)] * 2).shape
    torch.Size([2, 128])
    """

    def __init__(
        self,
        model: ConfigLike | None = None,
        weights: str | Path | None = None,
        device: str | None = None,
        size: int | None = None,
        checkpoint_key: str | None = None,
        allow_other_input: bool = False,
        show_progress: bool = False,
    ) -> None:
        self._take(
            get_encoder(model, weights, size, checkpoint_key, allow_other_input),
            device or ('cuda' if torch.cuda.is_available() else 'cpu'),
        )
        self.show_progress = show_progress

    @classmethod
    def of(cls, encoder: Encoder, device: str = 'cpu') -> FeatureInferencer:
        """Return the inferencer of a network that is there already."""
        made = cls.__new__(cls)
        made._take(encoder, device)
        made.show_progress = False
        return made

    def _take(self, encoder: Encoder, device: str) -> None:
        if encoder.reading:
            raise ValueError(
                f'the network takes images with {dict(encoder.reading)}, and this inferencer takes '
                'RGB photographs; expected tools/embed.py for a folder of such images.'
            )
        self.encoder, self.model = encoder, encoder.model.to(device).eval()
        self.pipeline, self.collate_fn = self._init_pipeline(None), stack_views
        self.visualizer = None

    def __call__(
        self, inputs: Any, return_datasamples: bool = False, batch_size: int = 32, **kwargs: Any
    ) -> Tensor:
        """Return the features (N, C) of one image, a list of images, or all of a folder.

        Args:
            inputs: Paths, arrays (H, W, 3) uint8 RGB, or PIL images; or a folder, whose images are
                taken in the order of :class:`~mochi_mm.datasets.image_folder.ImageFolder`.
            return_datasamples: Not supported: features are no data samples.
            batch_size: Images of a batch.
            kwargs: None are known.

        Raises:
            ValueError: No image, something else than an image, or no batch size.
        """
        check_integer('batch_size', batch_size, 32)
        result: Tensor = super().__call__(inputs, return_datasamples, batch_size, **kwargs)
        return result

    @staticmethod
    def list_models(scope: str | None = None, patterns: str = r'.*') -> list[str]:
        """Return the names of the configs that begin with a regular expression, sorted.

        Args:
            scope: This project's, or None for it.
            patterns: As MMEngine takes it; :func:`mochi_mm.list_models` takes a shell's.

        Raises:
            ValueError: Another scope.
        """
        if scope not in (None, SCOPE):
            raise ValueError(f'scope is {scope!r}; expected {SCOPE!r}, whose models these are.')
        return [name for name in list_models() if re.match(patterns, name)]

    def _init_pipeline(self, cfg: Any) -> Any:
        return self._prepared

    def _inputs_to_list(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, (str, Path)) and Path(inputs).expanduser().is_dir():
            folder = any_images(inputs)
            return [partial(folder.image, index) for index in range(len(folder))]
        single = isinstance(inputs, ImageLike) or not isinstance(inputs, Iterable)
        listed = [inputs] if single else list(inputs)
        if not listed:
            raise ValueError('no images; expected at least one path, array or PIL image.')
        return listed

    def preprocess(self, inputs: Sequence[ImageLike], batch_size: int = 1) -> Iterator[Tensor]:
        """Yield batches (B, channels, H, W), as the pipeline leaves them."""
        yield from super().preprocess(inputs, batch_size)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the features (B, C) of a batch."""
        return self.encoder.encode(inputs)

    def visualize(self, inputs: Any, preds: Any, show: bool = False) -> list[Any]:
        """Return nothing: features are no picture; ``tools/gallery.py`` draws neighbors."""
        if show:
            raise ValueError('features are not shown; tools/gallery.py draws neighbors instead.')
        return []

    def postprocess(
        self, preds: Sequence[Tensor], visualization: Any, return_datasamples: bool = False
    ) -> Tensor:
        """Return the features as one tensor (N, C)."""
        if return_datasamples:
            raise ValueError(
                'return_datasamples=True: features are one tensor (N, C); expected False.'
            )
        return torch.stack(list(preds))

    def _prepared(self, image: Any) -> Tensor:
        sample = dict(img=_opened(image), gt_label=-1, sample_idx=0, rng=SampleKey(0).generator())
        return the_view(self.encoder.pipeline(sample))


def _opened(image: ImageLike | partial[Image.Image]) -> Image.Image:
    if isinstance(image, partial):  # of a folder, read when its batch comes
        return image()
    if isinstance(image, Image.Image):
        return image.convert('RGB')
    if isinstance(image, (str, Path)):
        return read_image(Path(image).expanduser())
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f'an image is a {type(image).__name__}; expected a path, an array or a PIL image.'
        )
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f'an image is an array {image.dtype} {image.shape}; expected uint8 (H, W, 3), red, '
            'green, blue. What OpenCV reads is the other way round: image[..., ::-1].'
        )
    return Image.fromarray(np.ascontiguousarray(image))
