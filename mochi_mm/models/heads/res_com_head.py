"""The contrastive objective of ResCom: classes in balance, hard pairs mined from a queue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from mochi_mm.argument_kinds import is_number
from mochi_mm.models.blocks import batch_block, image_anchors, same_label
from mochi_mm.models.functional.effective_number import effective_weights
from mochi_mm.models.functional.mined import mined
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.class_counts import ClassCounts
from mochi_mm.models.memories import ClassBalancedQueue
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples, Mixed, Views
from mochi_mm.structures.head_step import Write
from mochi_mm.structures.known import require_class
from mochi_mm.utils.checks import check_integer


@MODELS.register_module()
class ResComHead(BaseContrastiveHead):
    """Supervised contrast of the batch and mined keys of a balanced queue, rare classes heavier.

    Every view of the batch is an anchor. Its candidates are all other views of the batch, the
    ``num_positives`` queued keys of its class that are the *least* similar to it, and the
    ``num_negatives`` of other classes that are the *most* similar; the rest of the queue is not
    seen, nor are rows that hold no key yet. All of its class attract, as in ``L_out`` of
    :class:`SupConHead`. The loss of an anchor is multiplied by the weight of its class, ``mean(E) /
    E_c`` with the effective number of images ``E_c``. The first view of each image enters the
    queue. Its classifier is a head of its own, :class:`BalancedSoftmaxHead`. Source: the released
    code of Zhong et al., Rebalanced Siamese Contrastive Mining for Long-Tailed Recognition, 2022.

    Args:
        memory: A :class:`ClassBalancedQueue`, as a config or a module.
        num_positives: Queued keys of its class that an anchor is compared with.
        num_negatives: Queued keys of other classes that an anchor is compared with.
        temperature: Divides every cosine.
        effective_beta: beta of the effective number, in [0, 1); 0 weights all classes alike.
        class_counts: ``data`` takes the images of each class from the training set; C numbers
            stand in their place; None weights all classes alike.
        **kwargs: As in :class:`BaseContrastiveHead`.

    Raises:
        ValueError: More mined than the queue holds, nothing mined, a beta out of range, an oracle;
            at the start of a run, other classes than the queue has, or a class without an image.

    >>> queue = dict(type='ClassBalancedQueue', num_classes=3, per_class=2, dim=16)
    >>> head = ResComHead(queue, num_positives=1, num_negatives=2, effective_beta=0)
    >>> samples = dict(gt_label=torch.tensor([0, 0, 2]))
    >>> losses = head.loss(torch.randn(3, 2, 16), samples)  # 3 images, 2 views
    >>> head.memory.count.tolist()
    [2, 0, 1]
    """

    with_memory = True
    needs_labels = True
    takes = 'views'

    memory: ClassBalancedQueue

    def __init__(
        self,
        memory: dict | nn.Module,
        num_positives: int = 1,
        num_negatives: int = 400,
        temperature: float = 0.2,
        effective_beta: float = 0.999999,
        class_counts: str | Sequence[int] | None = 'data',
        **kwargs: Any,
    ) -> None:
        super().__init__(memory, temperature, **kwargs)
        if kwargs.get('mixing') is None:
            self.mixing = None  # nothing is mixed, and what is mined has figures of its own
        check_integer('num_positives', num_positives, 1, least=0)
        check_integer('num_negatives', num_negatives, 400, least=0)
        self.num_positives, self.num_negatives = num_positives, num_negatives
        self.effective_beta = effective_beta
        self._check_settings()
        self.num_classes = self.memory.num_classes
        if class_counts not in (None, 'data') and not effective_beta:
            raise ValueError(
                f'ResComHead effective_beta is 0, so all classes weigh the same, and class_counts '
                f'is {class_counts!r}, which nothing would read; expected one of the two.'
            )
        given = class_counts if effective_beta else None  # at 0 all weights are 1
        self.class_counts = ClassCounts(self.num_classes, given, type(self).__name__)

    def anchors(self, views: Views) -> Anchors:
        """Return every view of the batch."""
        return image_anchors(views)

    def blocks(self, anchors: Anchors, views: Views) -> list[Block]:
        """Return the batch of all ranks and the queue."""
        batch = batch_block(anchors, self.similarity, self.labels(anchors.samples))
        return [batch, self.memory_block(anchors, self.memory)]

    def positives(self, anchors: Anchors, blocks: list[Block], views: Views) -> list[Block]:
        """Return both with the anchor's class attracting, and of the queue what is mined."""
        labels = self.labels(anchors.samples)
        batch, queue = (block.attract(same_label(labels, block)) for block in blocks)
        return [batch, self.mine(queue)]

    def mine(self, queue: Block) -> Block:
        """Return the queue without the keys that are not mined.

        Args:
            queue: Block of the queue, its positives marked.
        """
        empty = ~queue.need('held')[None]  # (1, K)
        hidden = empty if queue.dropped is None else empty | queue.dropped  # (1 or A, K)
        positive = queue.need('pull') > 0  # (A, K)
        far = mined(-queue.similarity, positive & ~hidden, self.num_positives)
        near = mined(queue.similarity, ~positive & ~hidden, self.num_negatives)
        return queue.drop(~(far | near))

    def objective(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return the loss (A,) of each anchor, times the weight of its class."""
        return super().objective(anchors, blocks) * self._weights_of(anchors)

    def chance_level(self, anchors: Anchors, blocks: Sequence[Block]) -> Tensor:
        """Return (A,) the value of :meth:`objective` where all similarities are equal."""
        return super().chance_level(anchors, blocks) * self._weights_of(anchors)

    def statistics(
        self, blocks: Sequence[Block], mixed: Mixed | None, counted: Tensor | None
    ) -> dict[str, Tensor]:
        """Add the mean cosine with the mined positives and with the mined negatives."""
        stats = super().statistics(blocks, mixed, counted)
        queue, positive = blocks[1], blocks[1].need('pull') > 0  # (A, K)
        kept = ~queue.need('dropped')  # (A, K)
        for name, chosen in (('positive', kept & positive), ('negative', kept & ~positive)):
            total = queue.similarity.masked_fill(~chosen, 0.0).sum()
            stats[f'sim_mined_{name}'] = total / chosen.sum().clamp_min(1)
        return stats

    def writes(self, views: Views) -> tuple[Write, ...]:
        """Return the write made after the loss: the first view of each image."""
        rows = views.online[min(views.online)].detach()  # (B, D)
        indices = views.samples.get('sample_idx')
        return (partial(self.memory.enqueue, rows, self.labels(views.samples), indices),)

    def check_samples(self, samples: DataSamples) -> None:
        """Refuse a batch with labels that the queue has no ring for.

        Raises:
            ValueError: A label is missing, -1, or beyond the classes of the queue.
        """
        super().check_samples(samples)
        if self.table is None:
            name = type(self).__name__
            require_class(samples[self.label_key], self.num_classes, name)

    def _weights_of(self, anchors: Anchors) -> Tensor:
        """Return (A,) the weight of the class of each anchor."""
        weights = effective_weights(self.class_counts(), self.effective_beta)  # (C,)
        return weights[self.labels(anchors.samples)]

    def _check_settings(self) -> None:
        """Refuse settings that do not fit the queue, or that cannot act."""
        if not isinstance(self.memory, ClassBalancedQueue):
            raise ValueError(
                f'memory is a {type(self.memory).__name__}; ResComHead expects a '
                'ClassBalancedQueue, which says where the keys of each class lie.'
            )
        beta, own = self.effective_beta, self.memory.per_class
        others = own * (self.memory.num_classes - 1)
        if not is_number(beta) or not 0 <= beta < 1:
            raise ValueError(
                f'ResComHead effective_beta is {beta!r}; expected a number >= 0 and below 1.'
            )
        for name, wanted, most, what in (
            ('num_positives', self.num_positives, own, 'of each class'),
            ('num_negatives', self.num_negatives, others, 'of the other classes'),
        ):
            if wanted > most:
                raise ValueError(
                    f'{name} is {wanted} but the queue holds {most} keys {what}; expected at most '
                    f'{most}: lower {name}, or raise per_class of the ClassBalancedQueue.'
                )
        if self.num_positives + self.num_negatives == 0:
            raise ValueError(
                'num_positives and num_negatives are 0, so nothing of the queue is seen; set one '
                'of them above 0, or use SupConHead.'
            )
        if self.oracle_loss or self.oracle_mix:
            raise ValueError(
                'oracle_loss and oracle_mix leave out rows of the own class, which ResComHead '
                'mines for what attracts; take them out.'
            )
