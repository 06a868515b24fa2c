"""The part of a head that takes false negatives out of the denominator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mochi_mm.models.blocks.candidate_labels import candidate_labels
from mochi_mm.models.blocks.same_label import same_label
from mochi_mm.models.functional.false_negatives import find_false_negatives, find_nearest_share
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors, Block, DataSamples
from mochi_mm.utils.checks import (
    check_choice,
    check_cosine,
    check_integer,
    check_share,
    check_start,
)

RULES = ('oracle', 'threshold', 'top_k', 'quantile')
#: Blocks whose candidates are images, among which false negatives are looked for.
SEARCHED = ('batch', 'batch_keys', 'memory')


@MODELS.register_module()
class FalseNegativeRemoval(BaseModule):
    """Find candidates that look like the anchor's class, and let them neither push nor be mixed.

    ``removal=FalseNegativeRemoval(...)`` of a contrastive head, in the batch or with a memory::

        L_i = -log( e_ip / ( e_ip + sum of e_ij over j that is neither i, p nor found ) )

    A positive is never found. What is found is found by the anchor itself, on constants, block by
    block; :class:`FalseNegativeFinder` of FNC asks further views of its image instead. Removal of
    false negatives is the remedy of Gupta et al., AAAI 2023 (arXiv 2207.10862). Their rule is not
    known to us: these rules are ours.

    Args:
        rule: ``oracle``: the anchor's label, which only an experiment has. ``threshold``: a
            similarity above ``threshold``. ``top_k``: the nearest ``top_k``. ``quantile``: the
            nearest ``share`` of the candidates, growing.
        threshold: Bound of ``threshold``, a cosine.
        max_share: Share of the candidates that ``threshold`` may find at most, the nearest of them;
            None for no bound.
        top_k: Number of ``top_k``.
        share: Share of ``quantile``.
        ramp: Part of the epochs from ``start_epoch`` on over which ``share`` grows from 0, epoch by
            epoch; 1 reaches it in the last one, 0 takes all of it at once.
        start_epoch: First epoch, counted from 0, that removes: an untrained network takes most
            images for one another.
        watch: Report what share of the removed is of the anchor's class, and of its class what
            share is removed; needs labels.
        init_cfg: See MMEngine.

    Raises:
        ValueError: A setting out of range, one that the rule needs and is not there, or one that
            it does not have.

    >>> from mochi_mm.models.heads import NTXentHead
    >>> removal = dict(rule='threshold', threshold=0.5)
    >>> features = torch.eye(4).repeat_interleave(2, 0).view(4, 2, 4)
    >>> features[1] = features[0]  # an image like another
    >>> float(NTXentHead(0.5, removal=removal).loss(features)['removed_share'])  # 8 of 48
    0.1666666716337204
    """

    def __init__(
        self,
        rule: str = 'quantile',
        threshold: float | None = None,
        max_share: float | None = None,
        top_k: int | None = None,
        share: float | None = None,
        ramp: float = 0.0,
        start_epoch: int = 0,
        watch: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.rule = check_choice('rule', rule, RULES)
        given = dict(threshold=threshold, top_k=top_k, share=share)
        _check_settings(rule, given, max_share, ramp)
        self.threshold = None if threshold is None else check_cosine('threshold', threshold)
        self.top_k = None if top_k is None else check_integer('top_k', top_k, 10)
        self.share = None if share is None else check_share('share', share, 0.1)
        self.max_share = None if max_share is None else check_share('max_share', max_share, 0.2)
        self.ramp = check_share('ramp', ramp, 0.5, zero=True)
        self.start_epoch = check_integer('start_epoch', start_epoch, 10, least=0)
        self.watch = watch
        #: Share of ``share`` in the current epoch; None where nothing is removed yet.
        self.grown: float | None = 1.0 if start_epoch == 0 and not ramp else None

    @property
    def needs_labels(self) -> bool:
        """Return whether every sample needs a label."""
        return self.rule == 'oracle' or self.watch

    def extra_repr(self) -> str:
        """Return the settings shown in ``repr``."""
        names = ('threshold', 'max_share', 'top_k', 'share')
        known = ''.join(f', {n}={getattr(self, n)}' for n in names if getattr(self, n) is not None)
        return f'rule={self.rule!r}{known}, ramp={self.ramp}, start_epoch={self.start_epoch}'

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Set the current epoch; a hook calls it at the start of each.

        Raises:
            ValueError: ``start_epoch`` lies beyond the run, so nothing would ever be removed.
        """
        nothing, fix = 'nothing would ever be removed', 'lower it or take the removal out'
        check_start('FalseNegativeRemoval', self.start_epoch, max_epochs, nothing, fix)
        if self.ramp and self.start_epoch + 1 >= max_epochs:
            raise ValueError(
                f'ramp of FalseNegativeRemoval begins at nothing in epoch {self.start_epoch} and '
                f'the run ends after {max_epochs}, so {nothing}; expected at least one epoch more, '
                'or ramp=0.'
            )
        past, length = epoch - self.start_epoch, self.ramp * (max_epochs - 1 - self.start_epoch)
        grown = min(1.0, past / length) if length else 1.0
        self.grown = grown if past >= 0 and grown > 0 else None

    def forward(
        self,
        anchors: Anchors,
        blocks: Sequence[Block],
        labels_of: Callable[[DataSamples, str], Tensor],
    ) -> tuple[list[Block], dict[str, Tensor]]:
        """Return the blocks without what is found, and statistics.

        Args:
            anchors: Rows that are compared.
            blocks: Their candidates, with their positives marked.
            labels_of: Of samples, and what needs them, the labels; asked where labels are needed.

        Returns:
            The blocks; ``removed_share``, the share of the candidates that would push that are
            removed, and what ``watch`` reports.
        """
        labels = labels_of(anchors.samples, 'removal') if self.needs_labels else None
        counts = dict.fromkeys(('pushing', 'removed', 'same', 'both'), anchors.rows.new_zeros(()))
        treated = []
        for block in blocks:
            if block.name not in SEARCHED:
                treated.append(block)
                continue
            pushing = block.negative()  # (A, M)
            same = None
            if labels is not None:
                known = block.but(labels=candidate_labels(block, anchors, labels))
                same = same_label(labels, known) & pushing
            found = self.find(block, pushing, same)
            counts = _added(counts, pushing, found, same)
            treated.append(block if found is None else block.but(false_negative=found).drop(found))
        return treated, self._statistics(counts)

    def find(self, block: Block, pushing: Tensor, same: Tensor | None) -> Tensor | None:
        """Return (A, M) bool, the false negatives of a block; None where none is looked for yet.

        Args:
            block: Candidates.
            pushing: (A, M) bool, those that push.
            same: (A, M) bool, those of the anchor's label, with ``oracle``.
        """
        if self.grown is None:
            return None
        if self.rule == 'oracle':
            return same
        scores = block.similarity.detach().masked_fill(~pushing, -torch.inf)  # (A, M)
        if self.share is not None:
            return find_nearest_share(scores, self.share * self.grown)
        found = find_false_negatives(scores, self.top_k, self.threshold) & pushing
        if self.max_share is None:
            return found
        return found & find_nearest_share(scores, self.max_share)

    @torch.no_grad()
    def _statistics(self, counts: dict[str, Tensor]) -> dict[str, Tensor]:
        removed = counts['removed']
        stats = dict(removed_share=removed / counts['pushing'].clamp_min(1))
        if self.watch:
            stats['removed_precision'] = counts['both'] / removed.clamp_min(1)
            stats['removed_recall'] = counts['both'] / counts['same'].clamp_min(1)
        return stats


def _added(
    counts: dict[str, Tensor], pushing: Tensor, found: Tensor | None, same: Tensor | None
) -> dict[str, Tensor]:
    """Return the counts of all blocks so far with those of one more."""
    nothing = torch.zeros_like(pushing)
    found, same = nothing if found is None else found, nothing if same is None else same
    masks = dict(pushing=pushing, removed=found, same=same, both=found & same)
    return {name: counts[name] + mask.sum() for name, mask in masks.items()}


def _check_settings(
    rule: str, given: dict[str, float | None], max_share: float | None, ramp: float
) -> None:
    """Refuse settings that are not those of the rule."""
    wanted = dict(threshold='threshold', top_k='top_k', quantile='share').get(rule)
    strangers = [name for name, value in given.items() if value is not None and name != wanted]
    strangers += ['max_share'] * (max_share is not None and rule != 'threshold')
    strangers += ['ramp'] * (ramp != 0 and rule != 'quantile')
    if wanted is not None and given[wanted] is None:
        raise ValueError(f'rule is {rule!r} and {wanted} is None; set it.')
    if strangers:
        raise ValueError(
            f'rule is {rule!r}, which has no {" and no ".join(strangers)}; take them out, or '
            'choose the rule that they belong to.'
        )
