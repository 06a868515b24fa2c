"""Removal of the background, by a mask of what is salient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.read_image import read_image
from mochi_mm.datasets.transforms.checks import check_photograph, probability
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.registry import TRANSFORMS

#: Gray level of a mask from which on a pixel is salient.
SALIENT = 128


@TRANSFORMS.register_module()
class SaliencyMask:
    """Fill everything but the salient pixels of an image with one color, with a probability.

    First in the recipe of a view, or the recipe is refused: the mask is that of the whole image. In
    ``MultiView`` each view draws for itself. An image in which nothing is salient stays as it is.
    Source of the use: ReLICv2 (Tomasev et al. 2022, arXiv 2201.05119), from second hand; its masks
    are DeepUSPS's, made without labels; probability and fill are ours (0.1 is recalled).

    Args:
        prob: Probability that the background is removed.
        mask_dir: Folder of masks, with the path of each image below its data set and the ending
            ``.png``; from gray level 128 on, in any channel, a pixel is salient. None takes
            ``mask`` of the sample, which generated scenes have.
        fill: Red, green and blue of the rest, 0 to 255.

    Raises:
        FileNotFoundError: There is no such folder; an image has no mask, which is told when an
            ``ImageFolder`` is made, elsewhere when called.
        KeyError: When called: a sample without a mask, or with a folder one without a path.
        ValueError: A probability or color out of range; when called, a mask of another size, of 0
            and 1 alone, or that cannot be read.

    >>> import numpy as np
    >>> from PIL import Image
    >>> image = Image.new('RGB', (2, 1), (200, 0, 0))
    >>> sample = dict(img=image, mask=np.array([[True, False]]), rng=np.random.default_rng(0))
    >>> np.asarray(SaliencyMask(prob=1.0, fill=(9, 9, 9))(sample)['img']).tolist()
    [[[200, 0, 0], [9, 9, 9]]]
    """

    #: The mask is that of the image as it comes from the data set.
    wants_whole = True

    def __init__(
        self,
        prob: float = 0.1,
        mask_dir: str | Path | None = None,
        fill: Sequence[int] = (124, 116, 104),
    ) -> None:
        self.prob, self.fill = probability(prob), tuple(fill)
        if len(self.fill) != 3 or any(type(c) is not int or not 0 <= c <= 255 for c in self.fill):
            raise ValueError(
                f'fill is {fill!r}; expected red, green and blue, integers from 0 to 255.'
            )
        self.mask_dir = None if mask_dir is None else Path(mask_dir).expanduser()
        if self.mask_dir is not None and not self.mask_dir.is_dir():
            raise FileNotFoundError(
                f'mask_dir is {str(mask_dir)!r}, which is no folder; expected one with a mask of '
                'each image, or None for the masks of generated scenes. Without masks take '
                'SaliencyMask out of the pipeline.'
            )

    def check_paths(self, paths: Iterable[str]) -> None:
        """Refuse a folder without a mask of each image; each folder in it is listed once.

        Args:
            paths: Of the images below their data set, those of a folder one after the other.

        Raises:
            FileNotFoundError: Some have none; names the first.
        """
        if self.mask_dir is None or not self.prob:
            return
        missing: list[str] = []
        total = 0
        for folder, group in groupby(paths, key=os.path.dirname):
            within = self.mask_dir / folder
            names = set(os.listdir(within)) if within.is_dir() else set()
            for path in group:
                total += 1
                if f'{os.path.splitext(os.path.basename(path))[0]}.png' not in names:
                    missing.append(path)
        if missing:
            raise FileNotFoundError(
                f'{len(missing)} of {total} images have no mask in {str(self.mask_dir)!r}, such as '
                f'{missing[0]!r}, whose mask would be {str(self._mask_of(missing[0]))!r}; expected '
                'one for each image, also where nothing is salient. Make them, or leave these '
                'images out (exclude of ImageFolder).'
            )

    def _mask_of(self, image: str) -> Path:
        return Path(self.mask_dir or '') / Path(image).with_suffix('.png')

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Fill the background of ``img``, with probability ``prob``."""
        if results['rng'].random() >= self.prob:
            return results
        mask, name = self._mask(results)
        image = results['img']
        check_photograph(image, type(self).__name__)
        if mask.shape != (image.height, image.width):
            raise ValueError(
                f'the mask {name} has {mask.shape[1]} x {mask.shape[0]} pixels but its image '
                f'{image.width} x {image.height}; expected one size: make SaliencyMask the first '
                'transform of a view, and masks as large as the images.'
            )
        if mask.any():
            fill = np.array(self.fill, np.uint8)
            filled = np.where(mask[..., None], np.asarray(image), fill)
            results['img'] = Image.fromarray(filled)
        return results

    def _mask(self, results: dict[str, Any]) -> tuple[np.ndarray, str]:
        """Return the mask (H, W) bool of a sample, and its name."""
        key = 'mask' if self.mask_dir is None else 'img_path'
        if key not in results:
            fix = (
                'set mask_dir to a folder of masks, or take a data set with masks of its own, such '
                'as BackgroundShapeScenes.'
                if self.mask_dir is None
                else 'take ImageFolder, whose images have a path that names their masks.'
            )
            raise KeyError(f'the sample has no {key!r}, which SaliencyMask needs; {fix}')
        if self.mask_dir is None:
            return results['mask'], f'of sample {results.get("sample_idx", "?")}'
        path = self._mask_of(results['img_path'])
        if not path.is_file():
            raise FileNotFoundError(
                f'there is no mask {str(path)!r} of the image {results["img_path"]!r}; expected '
                'one for each image, also where nothing is salient.'
            )
        try:
            levels = np.asarray(read_image(path)).max(axis=2)  # (H, W)
        except UnreadableImage as error:  # which stands for a damaged photograph
            raise ValueError(f'{path} cannot be used as a mask: {error}') from error
        if levels.max() == 1:
            raise ValueError(
                f'the mask {str(path)!r} is made of 0 and 1; expected gray levels, 255 where a '
                'pixel is salient: multiply them by 255.'
            )
        return levels >= SALIENT, str(path)

    def __repr__(self) -> str:
        folder = None if self.mask_dir is None else str(self.mask_dir)
        return f'SaliencyMask(prob={self.prob}, mask_dir={folder!r}, fill={self.fill})'
