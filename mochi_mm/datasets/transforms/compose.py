"""A chain of transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mochi_mm.datasets.transforms.checks import check_rgb
from mochi_mm.registry import TRANSFORMS

Transform = Callable[[dict[str, Any]], dict[str, Any]]


class Compose:
    """Apply transforms in turn.

    Args:
        transforms: Configs of registered transforms, or callables that take and return the dict of
            results.

    Raises:
        KeyError: A config names an unknown transform.
        ValueError: Not a list, an element that is neither config nor callable, an unknown
            argument, a transform of whole images (``wants_whole``) that is not the first; when
            called: a transform that does not return a dict.
    """

    def __init__(self, transforms: Sequence[Any] = ()) -> None:
        if isinstance(transforms, (str, Mapping)) or not isinstance(transforms, Sequence):
            raise ValueError(
                f'a pipeline must be a list of transforms, got {type(transforms).__name__}: '
                f'{transforms!r}. Write [dict(type=...), ...].'
            )
        self.transforms = [self._build(transform) for transform in transforms]
        self._check_order()

    @property
    def wants_whole(self) -> bool:
        """Return whether one of the transforms needs the image as it comes from the data set."""
        return any(_wants_whole(transform) for transform in self.transforms)

    @property
    def takes_files(self) -> bool:
        """Return whether the first transform decodes ``source`` in place of ``img``."""
        return bool(self.transforms) and getattr(self.transforms[0], 'takes_files', False)

    @property
    def takes_rows(self) -> bool:
        """Return whether the first transform wants ``row`` and ``size`` in place of ``img``."""
        return bool(self.transforms) and getattr(self.transforms[0], 'takes_rows', False)

    def check_channels(self, channels: int) -> None:
        """Refuse transforms that images of that many channels do not have.

        Raises:
            ValueError: There is one; names it, and what takes its place.
        """
        for transform in self.transforms:
            if getattr(transform, 'only_rgb', False):
                check_rgb(channels, type(transform).__name__)
            for inner in getattr(transform, 'transforms', ()):
                if isinstance(inner, Compose):
                    inner.check_channels(channels)

    def check_paths(self, paths: Iterable[str]) -> None:
        """Have transforms that read a file of each image (``check_paths``) look for them all.

        Args:
            paths: Of the images of a data set, below its folder.

        Raises:
            FileNotFoundError: One is missing.
        """
        for transform in self.transforms:
            if hasattr(transform, 'check_paths'):
                transform.check_paths(paths)
            for inner in getattr(transform, 'transforms', ()):
                if isinstance(inner, Compose):
                    inner.check_paths(paths)

    def _check_order(self) -> None:
        """Refuse a transform of whole images behind another, which may have moved the pixels."""
        for before, transform in zip(self.transforms, self.transforms[1:], strict=False):
            if _wants_whole(transform):
                raise ValueError(
                    f'{type(transform).__name__} stands behind {type(before).__name__}, and what '
                    'it holds of an image (such as the mask of SaliencyMask) is that of the '
                    'whole, untouched image; make it the first of its list.'
                )

    @staticmethod
    def _build(transform: Any) -> Transform:
        if isinstance(transform, Mapping):
            return TRANSFORMS.build(transform)
        if not callable(transform):
            raise ValueError(
                'a transform must be a config (dict(type=...)) or a callable dict -> dict, '
                f'got {type(transform).__name__}: {transform!r}'
            )
        return transform

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pass ``results`` through all transforms."""
        for transform in self.transforms:
            results = transform(results)
            if not isinstance(results, dict):
                raise ValueError(
                    f'transform {transform!r} returned {type(results).__name__} where the dict of '
                    'results was expected. Samples cannot be dropped here: end it with '
                    '`return results`.'
                )
        return results

    def __repr__(self) -> str:
        return f'Compose({self.transforms})'


def _wants_whole(transform: Transform) -> bool:
    """Return whether a transform, or one in its lists, needs the image as it comes."""
    inner = [part for part in getattr(transform, 'transforms', ()) if isinstance(part, Compose)]
    return getattr(transform, 'wants_whole', False) or any(part.wants_whole for part in inner)
