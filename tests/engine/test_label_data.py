"""Images that pseudo-labels can be made of, and those that they cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

from mochi_mm.datasets import RepeatDataset
from mochi_mm.engine.label_data import check_label_data, check_label_loader, number_of
from tests.toy_runner import TWO_VIEWS, VIEW, NoiseImages

PLAIN = [dict(type='PackInputs')]
RESIZED = [dict(type='Resize', size=16), *PLAIN]


class Unnumbered(NoiseImages):
    """Images that do not say which they are."""

    def sample(self, index: int) -> dict[str, Any]:
        return dict(super().sample(index), sample_idx=-1)


class Relabeled(NoiseImages):
    """The same number of images, of other classes."""

    def __init__(self) -> None:
        super().__init__(pipeline=PLAIN)
        self.labels = np.roll(self.labels, 1)


@pytest.mark.parametrize('pipeline', [PLAIN, RESIZED])
def test_plain_images_of_the_training_are_accepted(pipeline: Any) -> None:
    dataset = NoiseImages(pipeline=pipeline)
    for train in (NoiseImages(), RepeatDataset(NoiseImages(), times=2)):
        assert check_label_data(dataset, train) is None


@pytest.mark.parametrize(
    ('dataset', 'message'),
    [
        (NoiseImages(size=15, pipeline=PLAIN), 'has 15 images, the training set 16'),
        (NoiseImages(pipeline=TWO_VIEWS), 'makes 2 views'),
        (NoiseImages(pipeline=[VIEW[0], *PLAIN]), 'draws at random'),
        (NoiseImages(pipeline=[VIEW[2], *PLAIN]), 'draws at random'),
        (Unnumbered(pipeline=PLAIN), 'has the index -1'),
        (Relabeled(), 'are not those of the training set'),
    ],
)
def test_others_are_refused(dataset: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_label_data(dataset, NoiseImages())


def test_data_sets_have_numbers_of_their_own() -> None:
    one = dict(images={'a': 1}, labels='x')
    assert number_of(one) == number_of(dict(reversed(one.items()))) > 0
    assert number_of(one) != number_of(dict(one, labels='y'))


def test_every_image_has_to_come() -> None:
    check_label_loader(DataLoader(NoiseImages(size=10), batch_size=5, drop_last=True))
    check_label_loader(DataLoader(NoiseImages(size=10), batch_size=4))
    with pytest.raises(ValueError, match='drops its last batch, 2 of 10 images'):
        check_label_loader(DataLoader(NoiseImages(size=10), batch_size=4, drop_last=True))
    for loader in (None, 'bank_dataloader'):
        with pytest.raises(ValueError, match=f'label_dataloader is {loader!r}; .* begins with'):
            check_label_loader(loader)
