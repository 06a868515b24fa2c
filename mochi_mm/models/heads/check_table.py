"""Labels of a head that a view editor shares."""

from __future__ import annotations

from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead


def check_no_table(head: BaseContrastiveHead) -> None:
    """Refuse labels from a table in a head whose images a view editor mixes by their labels.

    Raises:
        ValueError: The head has a table.
    """
    if head.table is not None:
        raise ValueError(
            f'{type(head).__name__} has a table of labels, and the view editor that mixes does not '
            'know them; take it out, and set label_key of both to labels of the data set.'
        )
