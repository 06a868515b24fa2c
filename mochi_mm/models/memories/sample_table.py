"""Table of estimates, such as pseudo-labels, for each image of the data set."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mochi_mm.distributed.rows import gather_rows, row_counts
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataFacts
from mochi_mm.structures.known import check_integers
from mochi_mm.utils.checks import check_integer

# Value of a column where nothing is known of an image.
UNKNOWN = dict(
    label=-1,
    cluster=-1,
    confidence=0.0,
    threshold=1.0,
    first_moment=0.0,
    second_moment=0.0,
    weight=1.0,
)


@MODELS.register_module()
class SampleTable(nn.Module):
    """Table with one row per image: pseudo-label, confidence, threshold, weight.

    A memory that stores data set indices looks its rows up here, so relabeling reaches keys that
    are already queued. All columns are persistent buffers, the same on every rank.

    Args:
        length: n, images of the data set.
        columns: Names of the columns, out of those below.

    Attributes:
        label: (n,) int64, -1 if unknown.
        cluster: (n,) int64, the label before it is accepted, -1 if unknown.
        confidence: (n,) float32, 0 if unknown.
        threshold: (n,) float32, 1 at the start: of a cosine, nothing lies above it.
        first_moment: (n,) float32, of what moves the threshold, 0 at the start.
        second_moment: (n,) float32, likewise of its square.
        weight: (n,) float32, 1 at the start.

    Raises:
        ValueError: A length below 1, or an unknown column.

    >>> table = SampleTable(length=4)
    >>> table.write(torch.tensor([2, 0]), label=torch.tensor([7, 5]))
    >>> table.look_up('label', torch.tensor([0, 1, 2, -1])).tolist()
    [5, -1, 7, -1]
    """

    def __init__(self, length: int, columns: Sequence[str] = ('label', 'confidence')) -> None:
        super().__init__()
        self.length = check_integer('SampleTable length', length, 50000)
        self.columns = tuple(columns)
        if wrong := [name for name in columns if name not in UNKNOWN]:
            raise ValueError(
                f'SampleTable columns hold {wrong}; expected some of {", ".join(UNKNOWN)}.'
            )
        for name in self.columns:
            self.register_buffer(name, torch.full((length,), UNKNOWN[name]))

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        return f'length={self.length}, columns={self.columns}'

    def set_data(self, facts: DataFacts) -> None:
        """Refuse a data set of another size; called before the first iteration.

        Raises:
            ValueError: Another number of images than ``length``.
        """
        if facts.num_images != self.length:
            raise ValueError(
                f'the table has {self.length} rows but the data set {facts.num_images} images; '
                f'expected one row for each image: set length of the SampleTable to '
                f'{facts.num_images}.'
            )

    def look_up(self, column: str, indices: Tensor) -> Tensor:
        """Return the values (M,) of the images ``indices`` (M,), the unknown value where -1.

        Raises:
            KeyError: A column that the table does not have.
            ValueError: No integers (M,), or one beyond the table.
        """
        self._check_indices(indices)
        values: Tensor = self._column(column)[indices.clamp_min(0)]
        return values.masked_fill(indices < 0, UNKNOWN[column])

    @torch.no_grad()
    def write(self, indices: Tensor, **columns: Tensor) -> None:
        """Set rows, of all ranks; of an image that comes twice, the last in rank order counts.

        Args:
            indices: (B_r,) int64 in [0, n), rows of this rank; B_r may differ between ranks.
            **columns: Values (B_r,) by column.

        Raises:
            KeyError: A column that the table does not have.
            ValueError: No integers (B_r,), one outside [0, n), or columns of another length.
        """
        self._check_indices(indices, least=0)
        for name, values in columns.items():
            if values.shape != indices.shape:
                raise ValueError(
                    f'{name} of shape {tuple(values.shape)} for {len(indices)} rows of the table; '
                    'expected one value for each.'
                )
        counts = row_counts(len(indices))
        ids = gather_rows(indices, counts)  # (M,)
        place = torch.arange(len(ids), device=ids.device)  # (M,)
        # (M,) the last row of the same image
        last = ((ids[:, None] == ids[None]) * (place + 1)).amax(1) - 1 if len(ids) else place
        for name, values in columns.items():
            stored = self._column(name)
            gathered = gather_rows(values.to(stored), counts)  # (M,)
            stored.index_copy_(0, ids, gathered[last])

    def _check_indices(self, indices: Tensor, least: int | None = None) -> None:
        """Refuse indices without a row; values on an accelerator are not read."""
        check_integers('indices', indices)
        if indices.device.type != 'cpu':
            return
        outside = indices >= self.length
        outside = outside if least is None else outside | (indices < least)
        if bool(outside.any()):
            raise ValueError(
                f'the sample {int(indices[outside][0])} has no row in the table, whose rows are 0 '
                f'to {self.length - 1}; set length of the SampleTable to the size of the data set.'
            )

    def _column(self, name: str) -> Tensor:
        if name not in self.columns:
            raise KeyError(
                f'the table has no column {name!r}, only {", ".join(self.columns)}; name it in '
                'columns of the SampleTable.'
            )
        return self.get_buffer(name)
