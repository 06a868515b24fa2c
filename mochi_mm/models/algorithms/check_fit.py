"""Checks that the parts of an algorithm fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mochi_mm.models.algorithms.named_heads import MAIN, named_heads
from mochi_mm.models.view_editors.base_view_editor import views_before, views_behind
from mochi_mm.structures.features import CELLS, TAPS
from mochi_mm.structures.protocols import Head, Neck

if TYPE_CHECKING:
    from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
    from mochi_mm.models.view_editors import BaseViewEditor

#: What a head may take, and an algorithm that gives it; ``any`` takes what there is.
ALGORITHMS = dict(
    views='InBatchContrast', pairs='MoCo', parts='CrossViewContrast', features='ImageClassifier'
)

#: What a view editor may make for a head, and an editor that does.
EDITORS = dict(universum='UniversumMixing', mixed='ReverseMixing', background='ExplainedViews')


def check_fit(head: Head, model: BaseAlgorithm) -> None:
    """Refuse a head that takes what the algorithm does not give, or taps what is not there.

    And one that knows a single target where a view editor mixes two images.

    Raises:
        ValueError: It does.
    """
    takes = getattr(head, 'takes', None)
    if model.gives is not None and takes not in (None, 'any', model.gives):
        raise ValueError(
            f'{type(head).__name__} does not fit {type(model).__name__}: it takes {takes}, the '
            f'algorithm gives {model.gives}; set the type of the model to '
            f'{ALGORITHMS.get(takes, takes)}, or choose another head.'
        )
    tap = getattr(head, 'tap', 'predictor')
    if tap not in (*TAPS, CELLS):
        raise ValueError(
            f'tap of {type(head).__name__} is {tap!r}; expected one of {", ".join(TAPS)}.'
        )
    for editor in model.view_editors:
        if editor.mixes_targets and not getattr(head, 'mixed_targets', False):
            raise ValueError(
                f'{type(editor).__name__} mixes two images in a query, but {type(head).__name__} '
                'has one target for each and would ignore the second; take a head with two: '
                'NPairHead in InBatchContrast; ContrastiveHead, HardNegativeMixingHead, '
                'SoftContrastiveHead or KeyBatchHead in MoCo. Or take the editor out of '
                'view_editors.'
            )
    check_made(head, model.view_editors)


def check_made(head: Head, editors: Sequence[BaseViewEditor]) -> None:
    """Refuse a head without the views that it needs made, and views that a head cannot use.

    Raises:
        ValueError: An editor is missing, there twice, makes views for another head, or mixes by
            other labels than the head compares by.
    """
    needed, name = getattr(head, 'needs_made', None), type(head).__name__
    making = [type(editor).__name__ for editor in editors if editor.makes is not None]
    if needed is not None and [editor.makes for editor in editors if editor.makes] != [needed]:
        raise ValueError(
            f'{name} needs one view editor that makes {needed} views, and view_editors has '
            f'{", ".join(making) or "none that makes any"}; expected just '
            f"dict(type='{EDITORS.get(needed, needed)}') among them."
        )
    if needed is None and making and not getattr(head, 'ignores_made', False):
        raise ValueError(
            f'{making[0]} makes views that {name} would take for views of an image; take it out of '
            'view_editors, or choose a head that is made for them.'
        )
    for editor in editors:
        key, mixed_by = getattr(head, 'label_key', None), getattr(editor, 'label_key', None)
        if editor.makes is not None and mixed_by not in (None, key):
            raise ValueError(
                f'label_key of {name} is {key!r} but that of {type(editor).__name__} is '
                f'{mixed_by!r}; expected the same labels in both.'
            )


def check_num_views(head: Head, num_views: int, editors: Sequence[BaseViewEditor] = ()) -> None:
    """Refuse a number of views that the head cannot compare.

    Args:
        head: A head.
        num_views: Views of each image that the pipeline makes.
        editors: View editors of the algorithm, of which some may take a view away.

    Raises:
        ValueError: It cannot.
    """
    left = min(num_views, views_before(editors, None, num_views))
    needed, most = getattr(head, 'min_views', 1), getattr(head, 'max_views', None)
    most = getattr(head, 'num_views', most)
    if needed <= left and (most is None or left <= most):
        return
    few = left < needed
    wanted = needed if few or most is None else most
    kept = '' if left == num_views else f', of which the view editors leave {left},'
    more = ' or more' if few and most is None else ''
    raise ValueError(
        f'num_views is {num_views}{kept} but {type(head).__name__}, as it is set, compares '
        f'{"at least" if few else "at most"} {wanted} views of each image; set num_views, and that '
        f'of MultiView in the pipeline, to {wanted + num_views - left}{more}.'
    )


def check_learned_views(head: Head, num_views: int, editors: Sequence[BaseViewEditor]) -> None:
    """Refuse a head that learns from a view that is not there, or that shows no class any more.

    Args:
        head: A head; one that goes by numbers of views has them as ``views``.
        num_views: Views of each image that the pipeline makes.
        editors: View editors of the algorithm.

    Raises:
        ValueError: It does.
    """
    learned = set(getattr(head, 'views', ()))
    made = {view for editor in editors for view in editor.made(num_views)}
    there = views_behind(editors, num_views)
    if wrong := sorted(learned & made):
        raise ValueError(
            f'{type(head).__name__} learns from the views {sorted(learned)}, of which {wrong} '
            'are made by a view editor and are no views of an image any more; take them out.'
        )
    if absent := sorted(learned - set(range(there))):
        raise ValueError(
            f'{type(head).__name__} learns from the views {sorted(learned)}, of which {absent} '
            f'are not there: {there} reach the heads, numbered from 0; set its views to some of '
            'them.'
        )


def check_widths(model: BaseAlgorithm) -> None:
    """Refuse parts whose declared widths do not meet.

    Raises:
        ValueError: They do not.
    """
    _check_channels(model)
    backbone: tuple[str, object] = ('backbone', model.backbone)
    neck: tuple[str, object] = ('neck', model.neck)
    pairs = [] if model.neck is None else [(backbone, neck)]
    for name, head in named_heads(model).items():
        pooled = getattr(head, 'tap', '') == 'backbone' or getattr(head, 'uses_features', False)
        pairs.append((backbone if pooled or model.neck is None else neck, (name, head)))
    for (giver, module), (taker, following) in pairs:
        given = getattr(module, 'out_channels', None)
        wanted = getattr(following, 'in_channels', None)
        if isinstance(given, int) and isinstance(wanted, int) and given != wanted:
            raise ValueError(
                f'the {giver} gives {given} channels but the {taker} takes {wanted}; set '
                f'in_channels of the {taker} to {given}.'
            )
    for name, head in named_heads(model).items():
        tapped = backbone if getattr(head, 'tap', '') == 'backbone' or model.neck is None else neck
        _check_memory_width(name, head, *tapped)


def _check_channels(model: BaseAlgorithm) -> None:
    """Refuse a backbone that takes other channels than the data preprocessor has statistics of.

    Raises:
        ValueError: It does.
    """
    mean, wanted = getattr(model.data_preprocessor, 'mean', None), channels_of(model.backbone)
    if mean is not None and wanted is not None and len(mean) != wanted:
        raise ValueError(
            f'mean and std of the data preprocessor have {len(mean)} numbers but the backbone '
            f'takes images of {wanted} channels; set in_channels of the backbone to the channels '
            'of the data set, and data_preprocessor.mean and std to as many numbers '
            '(tools/dataset/mean_std.py FOLDER --channels N measures them).'
        )


def channels_of(backbone: object) -> int | None:
    """Return the number of channels of the images that a backbone takes; None where unknown."""
    given = getattr(backbone, 'in_channels', None)
    if isinstance(given, list):  # of a split backbone
        return sum(given)
    return given if isinstance(given, int) else None


def _check_memory_width(name: str, head: Head, giver: str, module: object) -> None:
    """Refuse a memory whose rows are not as wide as the features that the head taps.

    Raises:
        ValueError: They are not.
    """
    given = getattr(module, 'out_channels', None)
    wanted = getattr(getattr(head, 'memory', None), 'dim', None)
    if not isinstance(given, int) or not isinstance(wanted, int) or given == wanted:
        return
    holder = 'memory' if name == MAIN else f'memory of {name}'
    other = f' or out_channels of the neck to {wanted}' if giver == 'neck' else ''
    raise ValueError(
        f'the {giver} gives {given} channels but the {holder} holds keys of width {wanted}; set '
        f'memory.dim to {given}{other}.'
    )


def check_predictor(predictor: Neck | None, neck: Neck) -> None:
    """Refuse a predictor whose widths are not those of the neck.

    Raises:
        ValueError: They are not.
    """
    if predictor is None:
        return
    width, given = neck.out_channels, (predictor.in_channels, predictor.out_channels)
    if given != (width, width):
        raise ValueError(
            f'the predictor goes from {given[0]} to {given[1]} channels but the neck gives '
            f'{width}; expected in_channels and out_channels of {width}.'
        )


def check_mixed_views(
    editors: Sequence[BaseViewEditor], online: Sequence[int], target: Sequence[int]
) -> None:
    """Refuse an editor that mixes queries where a view is query and key at once.

    Args:
        editors: View editors of the algorithm.
        online: Views that the trained encoder sees.
        target: Views that the averaged encoder sees.

    Raises:
        ValueError: There is such an editor, and such a view.
    """
    both = sorted(set(online) & set(target))
    for editor in editors:
        if editor.mixes_targets and both:
            raise ValueError(
                f'{type(editor).__name__} mixes the queries and leaves the keys, but the views '
                f'{both} are both; set online_views and target_views without a common view, such '
                'as (0,) and (1,).'
            )


def check_pair_views(online: Sequence[int], target: Sequence[int], heads: Sequence[Head]) -> int:
    """Return V, the number of views in use.

    Args:
        online: Views that the trained encoder sees.
        target: Views that the averaged encoder sees.
        heads: All heads.

    Raises:
        ValueError: Views that are not numbered 0 to V - 1, no pair of different views, or views
            that a head cannot use.
    """
    seen = {*online, *target}
    pairs = [(i, j) for i in online for j in target if i != j]
    if seen != set(range(len(seen))) or not pairs:
        raise ValueError(
            f'online_views {tuple(online)} and target_views {tuple(target)}; expected the numbers '
            "0 to V - 1 of the pipeline's V views, each in at least one, and a pair of different "
            'views.'
        )
    for head in heads:
        if hasattr(head, 'check_view_numbers'):
            head.check_view_numbers(online, target)
    return len(seen)
