"""Whether every batch will hold an image with a label."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.datasets.two_stream_sampler import TwoStreamSampler

#: Mean number of labels in a batch drawn at random of which none in a million has none.
_ENOUGH = 14


def check_labeled_batches(labeled: Tensor, sampler: object, smallest: int, who: str) -> None:
    """Refuse batches of which some would hold no image with a label.

    Args:
        labeled: (n,) bool, which images of the data set have a label.
        sampler: Sampler of the training images.
        smallest: Images of all ranks in the smallest batch of an epoch.
        who: Head that learns from the labels of a batch, for the error.

    Raises:
        ValueError: With the share of images with a label and the size of the batch.
    """
    share = float(labeled.float().mean())
    spread = isinstance(sampler, TwoStreamSampler)
    least = 1 if spread else _ENOUGH
    if share * smallest < least:
        fix = '' if spread else 'train_dataloader.sampler.type=TwoStreamSampler, '
        raise ValueError(
            f'{share:.2%} of {len(labeled)} images have a label and the smallest batch is '
            f'{smallest} images, so some batches would hold none, from which {who} cannot tell '
            f'what is known; expected {least} of a batch on average: set {fix}a larger batch_size, '
            'drop_last=True, or a larger labeled_share.'
        )
