"""Contrastive learning with adversarial views, and norm statistics of their own for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from mochi_mm.models.algorithms.base_algorithm import Losses
from mochi_mm.models.algorithms.in_batch_contrast import InBatchContrast
from mochi_mm.models.layers.norm_twins import NormTwins
from mochi_mm.models.view_editors import AdversarialViews
from mochi_mm.models.view_editors.base_view_editor import views_before
from mochi_mm.registry import MODELS
from mochi_mm.structures import DataSamples
from mochi_mm.structures.protocols import Backbone, Neck
from mochi_mm.utils.checks import check_choice

STREAMS = ('joint', 'dual')
OWN_NORMS = ('clean', 'adversarial')


@MODELS.register_module()
class AdversarialContrast(InBatchContrast):
    """SimCLR's algorithm with the views that :class:`AdversarialViews` appends.

    ``joint``: one objective of all views, as in the manner of RoCL, where an image, its other view
    and its adversarial view attract one another (Kim et al., NeurIPS 2020). ``dual``: the mean of
    the objective of the clean views and that of the adversarial ones, as ACL's dual stream (Jiang
    et al., NeurIPS 2020). Both without their further terms and schedules.

    With ``separate_norms`` adversarial views are normalized by other batch norms than clean ones,
    weights included. One kind of views passes the network's own, which are exported and measured,
    the other a second set, kept under ``norm_twins.``.

    Args:
        backbone: Backbone, as a config or a module.
        head: An in-batch head on the embeddings.
        neck: Neck; None contrasts the pooled features themselves.
        num_views: Clean views of each image that a batch holds.
        streams: ``joint`` or ``dual``.
        separate_norms: Keep the norms of adversarial views apart.
        own_norms: Views that pass the network's own norms: ``clean``, or ``adversarial`` for a
            network that shall be robust as it is measured.
        **kwargs: As in :class:`BaseAlgorithm`; ``view_editors`` holds an
            :class:`AdversarialViews`.

    Raises:
        ValueError: No editor that appends adversarial views, or one that rests in some steps while
            norms are apart; ``dual`` with fewer than two adversarial views; a network without
            batch norms; ``own_norms`` without separate norms.
    """

    def __init__(
        self,
        backbone: dict | nn.Module,
        head: dict | nn.Module | None = None,
        neck: dict | nn.Module | None = None,
        num_views: int = 2,
        streams: str = 'joint',
        separate_norms: bool = True,
        own_norms: str = 'clean',
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, head, neck, num_views, **kwargs)
        self.streams = check_choice('streams', streams, STREAMS)
        self.own_norms = check_choice('own_norms', own_norms, OWN_NORMS)
        self.separate_norms = separate_norms
        self.copies = ('norm_twins',) if separate_norms else ()
        self._check_editors()
        #: Encoders that clean and adversarial views pass, in training and while these are made.
        self.encoders = ('online', 'online')
        if separate_norms:
            self.encoders = ('online', 'twins') if own_norms == 'clean' else ('twins', 'online')
            parts = dict(backbone=self.backbone, neck=self.neck)
            self.norm_twins = nn.ModuleDict(
                {n: NormTwins(cast(nn.Module, p)) for n, p in parts.items() if _has_norms(p)}
            )
            self._check_twins()

    def init_weights(self) -> None:
        """Initialize the network, then make the second set of norms its copy."""
        super().init_weights()
        self.reset_copies()

    def reset_copies(self) -> None:
        """Make the second set of norms a copy of the network's own."""
        if self.separate_norms:
            for name, twins in self.norm_twins.items():
                cast(NormTwins, twins).copy_from(getattr(self, name))

    def encoder(self, name: str) -> tuple[Backbone, Neck | None, Neck | None]:
        """Return backbone, neck and no predictor: of ``online``, or with the norms of ``twins``."""
        if name != 'twins' or not self.separate_norms:
            return super().encoder(name)
        neck = None if self.neck is None else cast(Neck, self._with_twins('neck'))
        return cast(Backbone, self._with_twins('backbone')), neck, None

    def loss(self, inputs: Sequence[Tensor], data_samples: DataSamples | None) -> Losses:
        """Return the losses and statistics of the clean views and the adversarial ones behind."""
        samples, count = data_samples or {}, self._clean
        clean = self.embed_views(inputs[:count], self.encoders[0])
        changed = self.embed_views(inputs[count:], self.encoders[1])
        if self.streams == 'joint':
            behind = {count + view: features for view, features in changed.items()}
            return self.objectives({**clean, **behind}, {}, samples)
        first = self.objectives(clean, {}, samples)
        second = self.objectives(changed, {}, samples)
        return {name: (value + second[name]) / 2 for name, value in first.items()}

    def _with_twins(self, name: str) -> Any:
        module = getattr(self, name)
        if name not in self.norm_twins:
            return module
        return cast(NormTwins, self.norm_twins[name]).around(module)

    def _check_editors(self) -> None:
        """Refuse editors that do not make what is compared."""
        editors = [part for part in self.view_editors if isinstance(part, AdversarialViews)]
        if len(editors) != 1 or not editors[0].append:
            raise ValueError(
                f'view_editors holds {len(editors)} AdversarialViews; AdversarialContrast expects '
                'one with append=True, which makes the adversarial views.'
            )
        editor = editors[0]
        makers = [type(part).__name__ for part in self.view_editors if part.makes is not None]
        if makers:
            raise ValueError(
                f'view_editors holds {makers[0]}, which makes views that are none of an image; '
                'AdversarialContrast takes those behind the clean ones for adversarial; take it '
                'out.'
            )
        #: Clean views that reach the encoder, those that an editor took away not counted.
        self._clean = views_before(self.view_editors, editor, self.num_views)
        rests = editor.start_epoch > 0 or editor.probability < 1
        if rests and (self.separate_norms or self.streams == 'dual'):
            raise ValueError(
                f'AdversarialViews has start_epoch={editor.start_epoch} and '
                f'probability={editor.probability}, so some steps have no adversarial views, and '
                'their norms and their objective nothing to do; expected 0 and 1, or '
                "streams='joint' with separate_norms=False."
            )
        if self.streams == 'dual' and len(editor.views) < 2:
            raise ValueError(
                f'AdversarialViews attacks the views {editor.views}; the objective of adversarial '
                "views compares at least two: set views=(0, 1), or streams='joint'."
            )
        if self.own_norms == 'adversarial' and not self.separate_norms:
            raise ValueError(
                "own_norms='adversarial' says nothing with separate_norms=False, where all views "
                'pass the same norms; take it out.'
            )

    def _check_twins(self) -> None:
        if not self.norm_twins:
            raise ValueError(
                'neither backbone nor neck has a batch norm, so separate norms would change '
                'nothing; set separate_norms=False.'
            )


def _has_norms(part: Any) -> bool:
    return part is not None and any(
        isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in part.modules()
    )
