"""Checks of the images that pseudo-labels are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sized
from typing import Any, cast

import numpy as np
from torch.utils.data import DataLoader

from mochi_mm.datasets.facts import facts_of
from mochi_mm.datasets.same_images import TELLING, same_images
from mochi_mm.randomness import SampleKey


class WatchedKey(SampleKey):
    """A key that keeps the generators it has made."""

    made: list[np.random.Generator]

    def _moved(self, index: int) -> SampleKey:
        moved = WatchedKey(index, self.seed, self.epoch, self.drawn)
        moved.made = self.made
        return moved

    def generator(self) -> np.random.Generator:
        """Return the generator of this sample, and keep it."""
        self.made.append(super().generator())
        return self.made[-1]


def check_label_loader(loader: Any) -> None:
    """Accept a loader that gives every image.

    Raises:
        ValueError: It is none, or drops a part of the images.
    """
    if not isinstance(loader, DataLoader):
        raise ValueError(
            f'the label_dataloader is {loader!r}; expected the config of a data loader, such as '
            "'$bank_dataloader', whose name begins with $."
        )
    total = len(cast(Sized, loader.dataset))
    left = total % (loader.batch_size or 1)
    if loader.drop_last and left:
        raise ValueError(
            f'the label_dataloader drops its last batch, {left} of {total} images, '
            'which would have no label; expected all of them: set its drop_last=False.'
        )


def check_label_data(dataset: Any, train: Any) -> None:
    """Accept the training images, numbered, each as one view without augmentation.

    Args:
        dataset: What the pseudo-labels are made of.
        train: The training set.

    Raises:
        ValueError: Other images, another order, several views, random draws, or samples without
            their data set index.
    """
    _check_images(dataset, train)
    key = WatchedKey(0)
    key.made = []
    sample = dataset[key]
    samples = sample.get('data_samples', {})
    if int(samples.get('sample_idx', -1)) != 0:
        raise ValueError(
            f'the first sample of the label_dataloader has the index '
            f'{samples.get("sample_idx", "none")}; expected sample_idx=0, by which labels are '
            'written and looked up: use a data set of mochi_mm, with PackInputs at the end.'
        )
    views = len(sample['inputs'])
    fresh = str(SampleKey(0).generator().bit_generator.state)
    drawn = any(str(made.bit_generator.state) != fresh for made in key.made)
    if views != 1 or drawn:
        what = f'makes {views} views' if views != 1 else 'draws at random'
        raise ValueError(
            f'the pipeline of the label_dataloader {what}; expected one view of each image without '
            "augmentation, so that equal images get equal labels: set its pipeline to the config's "
            'eval_pipeline.'
        )


def _check_images(dataset: Any, train: Any) -> None:
    here, there = facts_of(dataset), facts_of(train)
    if len(dataset) != there.num_images:
        raise ValueError(
            f'the label_dataloader has {len(dataset)} images, the training set '
            f'{there.num_images}; expected the same images in the same order: set the data set of '
            'the label_dataloader, its split and its list to those of the train_dataloader.'
        )
    labels = [getattr(data, 'labels', None) for data in (dataset, train)]
    differ = list(here.classes) != list(there.classes)
    if labels[0] is not None and labels[1] is not None:
        count = there.num_images
        differ |= not np.array_equal(np.asarray(labels[0]), np.asarray(labels[1])[:count])
    if isinstance(dataset, TELLING) and type(dataset) is type(train):
        differ |= not same_images(dataset, train)
    if differ:
        raise ValueError(
            f'the {len(dataset)} images of the label_dataloader are not those of the training set, '
            'or come in another order; expected the same: set its data set, split and list to '
            'those of the train_dataloader.'
        )


def number_of(facts: Any) -> int:
    """Return a number above 0 that differs where data sets do.

    Args:
        facts: Of the data set, from :func:`~mochi_mm.engine.data_facts.data_facts`.
    """
    digest = hashlib.sha256(repr(sorted(facts.items())).encode()).digest()
    return 1 + (int.from_bytes(digest[:8], 'little') >> 2)
