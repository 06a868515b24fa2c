"""Views in another color space, for encoders that see some of its channels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mochi_mm.models.data_preprocessors.view_data_preprocessor import ViewDataPreprocessor
from mochi_mm.models.functional.color import CONVERSIONS
from mochi_mm.registry import MODELS

# Mean and standard deviation of each channel, as CMC's code has them.
_STATISTICS = dict(
    lab=((50.0, 6.025, -6.6895), (50.0, 92.208, 101.1675)),
    ycbcr=((116.151, 121.080, 132.342), (109.500, 111.855, 111.964)),
)


@MODELS.register_module()
class ColorSpaceDataPreprocessor(ViewDataPreprocessor):
    """Convert every uint8 RGB view to another color space, on the device, and normalize it.

    Args:
        space: ``lab`` (CIE L*a*b*, D65) or ``ycbcr`` (BT.601, 16 to 235 and 240).
        mean: Mean of each of the three channels of that space; None takes the values of CMC's code.
        std: Standard deviation of each, above 0; None as for ``mean``.
        non_blocking: See :class:`ViewDataPreprocessor`.

    Raises:
        ValueError: An unknown space, or no three numbers.
    """

    def __init__(
        self,
        space: str = 'lab',
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        non_blocking: bool = True,
    ) -> None:
        if space not in CONVERSIONS:
            raise ValueError(f'space is {space!r}; expected one of {", ".join(CONVERSIONS)}.')
        usual_mean, usual_std = _STATISTICS[space]
        mean, std = usual_mean if mean is None else mean, usual_std if std is None else std
        if (len(mean), len(std)) != (3, 3):
            raise ValueError(
                f'mean {mean} and std {std}; expected three numbers each, one for each channel of '
                f'{space}.'
            )
        super().__init__(mean, std, non_blocking)
        self.space = space

    def convert(self, view: Tensor) -> Tensor:
        """Return the view (B, 3, H, W) in the color space."""
        return CONVERSIONS[self.space](view)
